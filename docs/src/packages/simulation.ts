import { createSimulation } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';

const echo = defineProtocol({
  name: 'echo',
  methods: { echo: { request: bytes, response: bytes } },
});
const sim = createSimulation({ seed: 7, link: { latency: [1, 20] } });
sim.node('server', async ({ transport }) => {
  const net = transport(echo);
  serve(net, { echo: (request) => request });
  await net.listen();
});
const client = sim.client(echo);
const call = () => client.send('server', 'echo', new Uint8Array([1, 2, 3]), { timeout: 5_000 });

console.log(await sim.settle(call()));
sim.cut('client-1', 'server'); // nothing passes, until heal
const before = sim.now;
await sim.settle(call()).catch((error) => console.log(error.code, 'after', sim.now - before, 'ms'));
sim.heal();
console.log(await sim.settle(call()));
console.log('left open:', await sim.close());
