// Tests of messages of every size, signed and unsigned, over whole transports: each message that
// can be published is delivered.

import { bytes } from '@trunkline/transport-core';
import { partialView } from './overlay/partial-view.ts';
import { cluster, simulationOf } from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import { seeds } from './testing/seeds.ts';
import test from './testing/serial.ts';
import type { Topic } from './topic.ts';

const LIMIT = 1_500_000;
const TOO_LARGE = { code: 'resource_exhausted', reason: 'too_large' };
/** Sizes around one packet and one message of a transport; every run tests them. */
const EXACT = new Set([2, 3, 4_000, 4_058, 65_400, 65_457, 65_458]);

/**
 * Yields small sizes, sizes near a packet or a buffer, and sizes near the limit. A signed frame has
 * up to 200 bytes less for its payload, so the ranges are wider by that number. Outside of the
 * nightly run, only a tenth of the sizes and each boundary are tested.
 */
function* sizes(): Iterable<number> {
  const taken = new Set(seeds(10).map((seed) => seed % 10));
  const range = function* (from: number, to: number): Iterable<number> {
    for (let size = from; size < to; size++)
      if (taken.has(size % 10) || EXACT.has(size)) yield size;
  };
  yield* range(0, 150);
  for (const border of [4_096, 16_384, 65_536, 131_072]) {
    yield* range(border - 260, border);
    yield border;
    yield* range(border + 1, border + 21);
  }
  yield 1_048_576;
  yield* range(LIMIT - 100, LIMIT);
  yield LIMIT;
}

for (const type of [undefined, 'ed25519', 'p256'] as const) {
  test(`every size up to the limit is delivered unchanged, and none above it: ${type ?? 'not signed'}`, async (t) => {
    t.timeout(120_000);
    const sim = simulationOf(t.context);
    const topics = new Map<string, Topic<Uint8Array, Uint8Array>>();
    const received: Uint8Array[] = [];
    const nodes = cluster(sim, ['a', 'b'], {
      gossip: (name) => ({
        ...(type === undefined ? {} : { signatures: { identity: identityOf(name, type) } }),
        ...(type === 'p256' ? { overlay: partialView() } : {}),
      }),
      peers: (name) => (type === undefined ? {} : { identity: identityOf(name, type) }),
      setup: ({ name, gossip }) => {
        const topic = gossip.topic('blobs', bytes, { limit: LIMIT, queue: { messages: 10_000 } });
        if (name === 'b') topic.subscribe((message) => void received.push(message));
        topics.set(name, topic);
      },
    });
    await sim.until(() => nodes.size === 2 && topics.get('a')!.neighbors.length === 1, 20_000);
    const topic = topics.get('a')!;
    const sent = [...sizes()];
    for (const [i, size] of sent.entries()) {
      const message = new Uint8Array(size).fill(size % 251);
      t.is((await sim.settle(topic.publish(message, { min: 1 }))).queued, 1, `${size}`);
      // Wait from time to time, so that no more messages are queued than there is room for.
      if (i % 50 === 49 || i === sent.length - 1)
        await sim.until(() => received.length === i + 1, 10_000);
    }
    for (const size of [LIMIT + 1, LIMIT + 2, 2 * LIMIT])
      t.like(await t.throwsAsync(sim.settle(topic.publish(new Uint8Array(size)))), TOO_LARGE);
    await sim.run(1_000);
    const lengths = received.map(({ length }) => length).sort((x, y) => x - y);
    t.deepEqual(lengths, sent);
    t.true(received.every((message) => message.every((byte) => byte === message.length % 251)));
    t.deepEqual(nodes.get('b')!.gossip.snapshot().topics[0]!.dropped, {});
  }, 1);
}
