// Behaviors of long messages, which nodes pass on to each other.

import { relay } from '../../driver/relay-driver.ts';
import type { Behavior } from './gossip-fixture.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const SIZES = [50_000, 70_000, 300_000, 1_500_000];

export const relays: readonly Behavior[] = [
  {
    title:
      'long messages reach each node once and unchanged through relays, and the publisher sends each to two',
    overlay: 'fullMesh',
    async check(t, fixture) {
      await fixture.meet(NAMES, {
        relay: relay({ above: 40_000, fanout: 2 }),
        topic: { limit: 2_000_000 },
      });
      const sent = () =>
        fixture
          .node('a')
          .transport.snapshot()
          .connections.reduce((sum, connection) => sum + connection.bytes.out, 0);
      const before = sent();
      const said = SIZES.map((size) => 'abcdefghij'.repeat(size / 10));
      for (const word of said) t.deepEqual(await fixture.publish('a', word), { queued: 5 });
      const others = NAMES.slice(1);
      await fixture.until('all messages have arrived at the other nodes', () =>
        others.every((name) => fixture.words(name).length >= SIZES.length),
      );
      const bytes = SIZES.reduce((sum, size) => sum + size, 0);
      t.true(sent() - before < 2.2 * bytes, `${sent() - before} of ${bytes}`);
      for (const name of others) {
        t.deepEqual([...fixture.words(name)].sort(byLength), said, name);
        t.true(
          fixture.subscriber(name).heard.every(({ meta }) => meta.origin === fixture.idOf('a')),
        );
        t.is(fixture.node(name).gossip.snapshot().topics[0]!.duplicates, 0, name);
      }
      t.is(fixture.node('a').gossip.snapshot().relay!.repaired, 0);
    },
  },
];

const byLength = (one: string, other: string) => one.length - other.length;
