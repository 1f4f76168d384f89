// Tests of the limits on answers: with an unchanged list of topics, and of any kind.

import { PeerLimits } from '@trunkline/peers/internal';
import { createManualClock, seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { askForList } from '../discovery/tags.ts';
import { topicKey } from '../protocol.ts';
import { idOf } from '../testing/cluster.ts';
import { Interests } from './interests.ts';
import { type DriverParts, memberLimits, Ration } from './members.ts';

for (const proven of [true, false]) {
  test(`an unchanged list is sent to a peer as often as ${proven ? 'it may have it, over all connections of a proven id' : 'allowed for each connection of an asserted id'}`, (t) => {
    const random = seededRandom(1);
    const key = topicKey('news');
    const interests = new Interests({
      self: idOf('me'),
      mount: { random, clock: createManualClock() },
      peers: { report: () => t.fail() },
      members: { all: new Map() },
      sessions: new Map([[key.hex, { key, isMember: true }]]),
      soon: () => {},
    } as unknown as DriverParts);
    interests.changed();
    const nodeId = idOf('b');
    const limits = new PeerLimits(memberLimits);
    let answers = 0;
    for (let connection = 0; connection < 3; connection++) {
      for (let i = 0; i < 20; i++) {
        try {
          const peer = { nodeId, limits: limits.of(nodeId, 0) };
          interests.answer(peer as never, askForList(random));
          answers++;
        } catch (error) {
          t.is((error as { code?: string }).code, 'resource_exhausted');
        }
      }
      limits.gone(nodeId, proven, 0);
    }
    t.is(answers, proven ? 11 : 33, 'one with the number, and ten more');
  });
}

test('ten answers at once, then one per second; one of a hundred refusals counts as abuse', (t) => {
  const ration = new Ration();
  const take = (times: number, now: number) => {
    const counts = { taken: 0, abused: 0 };
    for (let i = 0; i < times; i++) if (ration.take(now, () => counts.abused++)) counts.taken++;
    return counts;
  };
  t.deepEqual(take(12, 0), { taken: 10, abused: 0 });
  t.deepEqual(take(4, 3_500), { taken: 3, abused: 0 });
  t.deepEqual(take(300, 4_000), { taken: 1, abused: 3 });
  t.deepEqual(take(20, 1_000_000), { taken: 10, abused: 0 });
});
