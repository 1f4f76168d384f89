// Tests of long messages on a link with high bandwidth and high latency: they fill the link, and a
// small call at the same time takes little more than its round trip.

import { bytes, type CommonOptions, defineProtocol, serve } from '@trunkline/transport-core';
import { createSimulation } from './index.ts';
import test from './testing/serial.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const RTT = 100;
/** 1 Gbit/s, in bytes per second. */
const BANDWIDTH = 125_000_000;

const bulk = defineProtocol({
  name: 'bulk',
  version: 1,
  channel: 0x20,
  methods: {
    put: { id: 1, request: bytes, response: bytes },
    get: { id: 2, request: bytes, response: bytes },
    echo: { id: 3, request: bytes, response: bytes },
  },
});

interface Transfer {
  readonly method: 'put' | 'get';
  readonly size: number;
  readonly inFlight: number;
  /** Duration in virtual seconds; the first second is not measured. */
  readonly seconds: number;
  readonly seed?: number;
  readonly limits?: CommonOptions['limits'];
}

/**
 * Transfers bodies back to back, and at the same time makes small calls one by one. Returns the
 * share of the bandwidth that the bodies use, the durations of the small calls, and the hash of the
 * trace.
 */
async function transfer({
  method,
  size,
  inFlight,
  seconds,
  seed = 1,
  limits,
}: Transfer): Promise<{ share: number; calls: number[]; hash: string }> {
  const sim = createSimulation({
    seed,
    level: 'stream',
    link: { latency: RTT / 2, bandwidth: BANDWIDTH, fragment: 0, window: 64 * MIB },
  });
  const body = new Uint8Array(size);
  const empty = new Uint8Array(0);
  const done: { at: number; bytes: number }[] = [];
  const finished = (bytes: number) => void done.push({ at: sim.now, bytes });
  sim.node('b', async ({ transport }) => {
    const node = transport(bulk, { limits });
    await node.listen();
    serve(node, {
      put(request) {
        finished(request.length);
        return empty;
      },
      get: () => body,
      echo: (request) => request,
    });
    return () => node.close();
  });
  const client = sim.client(bulk, { name: 'c', maxPool: 1, timeout: 60_000, limits });
  await sim.settle(client.dial('b'));
  const began = sim.now;
  const end = began + seconds * 1_000;
  const flow = async () => {
    while (sim.now < end) {
      const answer = await client.send('b', method, method === 'put' ? body : empty);
      if (method === 'get') finished(answer.length);
    }
  };
  const calls: number[] = [];
  const beside = async () => {
    while (sim.now < end) {
      const at = sim.now;
      await client.send('b', 'echo', new Uint8Array(64));
      calls.push(sim.now - at);
    }
  };
  const flows = [beside(), ...Array.from({ length: inFlight }, flow)];
  await sim.settle(Promise.all(flows), seconds * 1_000 + 30_000);
  const measured = done.filter(({ at }) => at >= began + 1_000);
  const first = measured[0]!;
  const last = measured.at(-1)!;
  const carried = measured.reduce((sum, { bytes }) => sum + bytes, 0) - first.bytes;
  const hash = sim.trace.hash;
  await sim.close();
  return { share: (carried * 1_000) / (last.at - first.at) / BANDWIDTH, calls, hash };
}

/**
 * Lets a callee accept calls even while its answers wait for the link, and a caller send as many
 * requests as the link holds: 12.5 MB, more than the default inbox of 8 MiB.
 */
const ROOMY = { outbound: { bytes: 64 * MIB }, credit: { inbox: 32 * MIB } };

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!;

test('bodies of 64 MiB in sequence fill a gigabit link of 100 ms, and a small call beside them takes little more than a round trip', async (t) => {
  const { share, calls } = await transfer({
    method: 'put',
    size: 64 * MIB,
    inFlight: 2,
    seconds: 3,
  });
  t.log(
    `${share.toFixed(3)} of the line, p50 of a small call ${(median(calls) / RTT).toFixed(3)} round trips`,
  );
  t.true(share >= 0.8, `${share}`);
  t.true(median(calls) <= 1.2 * RTT, `${median(calls)}`);
});

for (const method of ['put', 'get'] as const) {
  test(`bodies of 4 MiB fill the link, too (${method})`, async (t) => {
    const { share, calls } = await transfer({
      method,
      size: 4 * MIB,
      inFlight: 8,
      seconds: 3,
      limits: ROOMY,
    });
    t.log(
      `${share.toFixed(3)} of the line, p50 of a small call ${(median(calls) / RTT).toFixed(3)} round trips`,
    );
    t.true(share >= 0.8, `${share}`);
    t.true(median(calls) <= 1.2 * RTT, `${median(calls)}`);
  });
}

test('a pipe of fixed size limits the throughput to its window in each round trip', async (t) => {
  const { share, calls } = await transfer({
    method: 'put',
    size: MIB,
    inFlight: 4,
    seconds: 5,
    limits: { credit: { pipe: 256 * KIB } },
  });
  const window = (256 * KIB) / ((RTT / 1_000) * BANDWIDTH);
  t.true(share > 0.8 * window && share < 1.5 * window, `${share}`);
  t.true(median(calls) <= 1.05 * RTT);
});

test('one seed gives one history, however the pipe grows', async (t) => {
  const run = async (seed: number) =>
    (await transfer({ method: 'put', size: 2 * MIB, inFlight: 4, seconds: 2, seed })).hash;
  const hash = await run(7);
  t.is(await run(7), hash);
  t.not(await run(8), hash);
});
