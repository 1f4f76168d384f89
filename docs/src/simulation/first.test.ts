import { createSimulation } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import test from 'ava';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

test.serial('a call that is lost in a partition ends at its deadline, not before', async (t) => {
  const sim = createSimulation({ seed: 7, link: { latency: [1, 20] } });
  sim.node('server', async ({ transport }) => {
    const net = transport(echo);
    serve(net, { echo: (request) => request });
    await net.listen();
  });
  const client = sim.client(echo);
  const call = () => client.send('server', 'echo', new Uint8Array([1, 2, 3]), { timeout: 5_000 });
  t.is((await sim.settle(call())).length, 3);

  sim.cut('client-1', 'server', { direction: 'one-way' });
  const before = sim.now;
  await t.throwsAsync(sim.settle(call()), { code: 'deadline_exceeded' });
  t.is(sim.now - before, 5_000);

  sim.heal();
  t.is((await sim.settle(call())).length, 3);
  t.deepEqual(await sim.close(), []);
});
