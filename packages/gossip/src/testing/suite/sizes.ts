// Behaviors with messages of all sizes up to the limit, and with long ones, which nodes pass on to
// each other.

import { TransportError } from '@trunkline/transport-core';
import { relay } from '../../driver/relay-driver.ts';
import type { DeclareTest } from './gossip-fixture.ts';

/**
 * Sizes around one packet, one message of a transport, and the limit. They include JSON's quotes.
 */
const SIZES = [
  2, 3, 4_000, 4_058, 4_096, 65_400, 65_457, 65_458, 65_536, 65_537, 1_048_576, 1_499_999,
  1_500_000,
];
const LIMIT = 1_500_000;

export function sizes(test: DeclareTest): void {
  test('every size up to the limit is delivered; one byte more fails at the publisher, and nothing is sent', async (t, fixture) => {
    await fixture.meet(['a', 'b'], { topic: { limit: LIMIT } });
    for (const size of SIZES) t.is((await fixture.publish('a', 'x'.repeat(size - 2))).queued, 1);
    const lengths = () => fixture.words('b').map((word) => word.length + 2);
    await fixture.until('b has read all messages', () => lengths().length === SIZES.length);
    const error = await t.throwsAsync(fixture.publish('a', 'x'.repeat(LIMIT - 1)), {
      instanceOf: TransportError,
      code: 'resource_exhausted',
    });
    t.is((error as TransportError).reason, 'too_large');
    await fixture.publish('a', 'later');
    await fixture.heard('later', ['b']);
    t.deepEqual(
      lengths().sort((x, y) => x - y),
      [...SIZES, 'later'.length + 2].sort((x, y) => x - y),
    );
  });
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const LONG = [50_000, 70_000, 300_000, 1_500_000].map((size) => 'abcdefghij'.repeat(size / 10));

export function relays(test: DeclareTest): void {
  test('long messages reach each node once and unchanged through relays, and the publisher sends each to two', async (t, fixture) => {
    await fixture.meet(NAMES, {
      gossip: { relay: relay({ above: 40_000, fanout: 2 }) },
      topic: { limit: 2_000_000 },
    });
    const sent = () => fixture.node('a').transport.snapshot().bytes.out;
    const before = sent();
    for (const word of LONG) t.deepEqual(await fixture.publish('a', word), { queued: 5 });
    const others = NAMES.slice(1);
    await fixture.until('all messages have arrived at the other nodes', () =>
      others.every((name) => fixture.words(name).length >= LONG.length),
    );
    const bytes = LONG.join('').length;
    t.true(sent() - before < 2.2 * bytes, `${sent() - before} of ${bytes}`);
    for (const name of others) {
      t.deepEqual([...fixture.words(name)].sort(byLength), LONG, name);
      const origins = fixture.subscriber(name).heard.map(({ meta }) => meta.origin);
      t.deepEqual([...new Set(origins)], [fixture.idOf('a')], name);
      t.is(fixture.node(name).gossip.snapshot().topics[0]!.duplicates, 0, name);
    }
    t.is(fixture.node('a').gossip.snapshot().relay!.repaired, 0);
  });
}

const byLength = (one: string, other: string) => one.length - other.length;
