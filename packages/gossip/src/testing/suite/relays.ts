// Behaviors with long messages, which nodes pass on to each other.

import { relay } from '../../driver/relay-driver.ts';
import type { DeclareTest } from './gossip-fixture.ts';

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
