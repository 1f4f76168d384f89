import type { Simulation } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from 'trunkline';

const echo = defineProtocol({
  name: 'echo',
  methods: { echo: { request: bytes, response: bytes } },
});

export default async function scenario(sim: Simulation): Promise<void> {
  sim.node('server', async ({ transport }) => {
    const net = transport(echo);
    serve(net, { echo: (request) => request });
    await net.listen();
  });
  const answer = await sim.settle(sim.client(echo).send('server', 'echo', new Uint8Array(3)));
  if (answer.length !== 3) throw new Error(`an answer of ${answer.length} bytes`);
}
