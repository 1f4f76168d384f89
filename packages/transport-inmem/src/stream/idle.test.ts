// Tests of the cost of idle connections: one timer per transport, none per connection.

import { setImmediate as turn } from 'node:timers/promises';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import {
  createManualClock,
  type ManualClock,
  seededRandom,
} from '@trunkline/transport-core/testing';
import test from 'ava';
import { createInmemStreams } from './inmem-streams.ts';

const protocol = defineProtocol({
  name: 'idle',
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

test('1,000 idle connections, kept alive for minutes, have one timer at each end', async (t) => {
  const streams = createInmemStreams();
  // An in-memory stream has timers of its own while it is read. The streams get a separate clock,
  // so that these timers are not counted.
  const wire = createManualClock();
  const open = (name: string, seed: number) => {
    const clock = createManualClock();
    const random = seededRandom(seed);
    // Each target has only one connection, so many names stand for the same address.
    const options = {
      protocol,
      maxPool: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      resolve: () => 'inmem://server',
      clock,
      random,
    };
    const transport = new NetworkTransport({
      ...options,
      stream: streams.layer(name, { clock: wire, random }),
    });
    return {
      clock,
      transport,
      bytesIn: () => transport.snapshot().connections.map((connection) => connection.bytes.in),
    };
  };
  const clocks = [wire];
  const server = open('server', 1);
  const client = open('client', 2);
  clocks.push(server.clock, client.clock);
  serve(server.transport, { echo: (request) => request });
  await server.transport.listen();

  const timers: [number, number][] = [];
  const heard: number[] = [];
  for (const count of [10, 1_000]) {
    // Batches of 50, fewer than the number of handshakes that a server allows at the same time.
    for (let first = 0; first < count; first += 50) {
      const names = Array.from(
        { length: Math.min(50, count - first) },
        (_, at) => `connection-${first + at}`,
      );
      await settled(
        Promise.all(names.map((name) => client.transport.send(name, 'echo', new Uint8Array(1)))),
        clocks,
      );
    }
    const before = server.bytesIn();
    t.is(before.length, count);
    // Two minutes, in which each connection is pinged and answers a dozen times.
    for (let second = 0; second < 120; second++) {
      for (const clock of clocks) clock.advance(1_000);
      for (let i = 0; i < 4; i++) await turn();
      timers.push([server.clock.timers, client.clock.timers]);
    }
    heard.push(server.bytesIn().filter((bytes, at) => bytes > before[at]!).length);
  }
  t.deepEqual(heard, [10, 1_000]);
  t.is(Math.max(...timers.map(([atServer]) => atServer)), 1);
  t.is(Math.max(...timers.map(([, atClient]) => atClient)), 1);

  await client.transport.close();
  await server.transport.close();
  t.deepEqual([server.clock.timers, client.clock.timers], [0, 0]);
});

/** Advances time a little in every turn until the work is done. */
async function settled(work: Promise<unknown>, clocks: readonly ManualClock[]): Promise<void> {
  let isOver = false;
  const end = () => void (isOver = true);
  work.then(end, end);
  while (!isOver) {
    for (const clock of clocks) clock.advance(1);
    await turn();
  }
  await work;
}
