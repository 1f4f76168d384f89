// Tests of several long messages of one channel on a thin line: one after the other arrives in
// time.

import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import { createSimulation } from './index.ts';
import test from './testing/serial.ts';

/** 16 Mbit/s, in bytes per second: 100 kB take 50 ms. */
const BANDWIDTH = 2_000_000;
const SIZE = 100_000;
const ALONE = (SIZE / BANDWIDTH) * 1_000;

const protocolOf = (ordered: boolean) =>
  defineProtocol({
    name: 'put',
    version: 1,
    channel: 0x20,
    ordered,
    methods: {
      put: { id: 1, request: bytes, response: bytes },
      get: { id: 2, request: bytes, response: bytes },
    },
  });

/** A client and a server with a line between them, connected. */
async function line(ordered = false, bandwidth = BANDWIDTH, latency = 2) {
  const sim = createSimulation({
    level: 'stream',
    link: { latency, bandwidth, fragment: 0 },
  });
  const protocol = protocolOf(ordered);
  sim.node('server', async ({ transport }) => {
    const node = transport(protocol);
    await node.listen();
    serve(node, { put: () => new Uint8Array(0), get: () => new Uint8Array(SIZE) });
    return () => node.close();
  });
  const client = sim.client(protocol, { name: 'client', maxPool: 1 });
  await sim.settle(client.dial('server'));
  return { sim, client };
}

for (const ordered of [false, true])
  for (const method of ['put', 'get'] as const)
    test(`of 50 calls of 100 kB (${method}${ordered ? ', ordered' : ''}) at least 45 return in the time that they take together`, async (t) => {
      const { sim, client } = await line(ordered);
      const began = sim.now;
      const body = new Uint8Array(method === 'put' ? SIZE : 0);
      const took: number[] = [];
      const calls = Array.from({ length: 50 }, () =>
        client.send('server', method, body, { timeout: 50 * ALONE }).then(
          () => void took.push(sim.now - began),
          () => {},
        ),
      );
      await sim.settle(Promise.all(calls));
      t.true(took.length >= 45, `${took.length} returned`);
      t.true(took[0]! < 2 * ALONE, `the first took ${took[0]} ms`);
      await sim.close();
    });

// Bytes in flight can't be overtaken (256 KiB at least), so the line is not thin here.
test('100 kB beside a message of 64 MiB take at most twice the time that they take alone', async (t) => {
  const { sim, client } = await line(false, 12_500_000, 10);
  const put = async (size: number) => {
    const began = sim.now;
    await client.send('server', 'put', new Uint8Array(size), { timeout: 100_000 });
    return sim.now - began;
  };
  const alone = await sim.settle(put(SIZE));
  const huge = put(64 * 1024 * 1024);
  await sim.run(500);
  const beside = await sim.settle(put(SIZE));
  t.true(beside <= 2 * alone, `${beside} ms beside it, ${alone} ms alone`);
  await sim.settle(huge);
  await sim.close();
});
