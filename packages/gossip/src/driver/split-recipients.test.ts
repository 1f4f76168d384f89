// Tests of splitting the receivers of a long message into parts.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { MOST_REST } from '../wire/frame.ts';
import { splitRecipients } from './relay-transfers.ts';

const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`);

test('every node is in one part, parts differ by one at most, and there are no more parts than the fanout', (t) => {
  for (const fanout of [1, 2, 3, 7])
    for (const count of [0, 1, 2, 3, 4, 10, 39, 100]) {
      const parts = splitRecipients(names(count), fanout, seededRandom(count));
      t.is(parts.length, Math.min(fanout, count));
      t.deepEqual(parts.flatMap(({ relay, rest }) => [relay, ...rest]).sort(), names(count).sort());
      const sizes = parts.map(({ rest }) => rest.length);
      t.true(count === 0 || Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join(' '));
    }
});

test('the parts and their relays are random', (t) => {
  const random = seededRandom(1);
  const relays = new Set<string>();
  for (let i = 0; i < 200; i++)
    for (const { relay } of splitRecipients(names(10), 3, random)) relays.add(relay);
  t.is(relays.size, 10);
});

test('a list that is too long for one part makes more parts', (t) => {
  const parts = splitRecipients(names(5_000), 3, seededRandom(1));
  t.true(parts.length > 3);
  t.true(parts.every(({ rest }) => rest.length <= MOST_REST));
  t.is(new Set(parts.flatMap(({ relay, rest }) => [relay, ...rest])).size, 5_000);
});
