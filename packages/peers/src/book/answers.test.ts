// Tests of the addresses that a book sends in answers, for callers that know which nodes are alive.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { filledBook, HOUR, idOf, makeBook, node } from './testing/addresses.ts';

test('an answer has all connected nodes plus a quarter as many others; at least 32 in total if known, at most 250', (t) => {
  const book = filledBook(500, 500, { random: seededRandom(1) });
  const all = [...book.entries()].map(({ nodeId }) => nodeId);
  for (const [there, length] of [
    [0, 32],
    [10, 32],
    [32, 40],
    [100, 125],
    [240, 250],
    [400, 250],
  ] as const) {
    const alive = all.slice(0, there);
    const told = book.selectAround(alive, 0).map(({ nodeId }) => nodeId);
    t.is(told.length, length, `${there} there`);
    t.is(new Set(told).size, length);
    if (there <= 200) t.true(alive.every((nodeId) => told.includes(nodeId)));
  }
  t.notDeepEqual(book.selectAround(all.slice(0, 20), 0), book.selectAround(all.slice(0, 20), 0));
  const few = filledBook(2, 2);
  t.is(few.selectAround([], 0).length, 4);
});

test('nodes that did not answer their last dial are left out of an answer, unless they are connected', (t) => {
  const book = makeBook();
  for (let i = 0; i < 20; i++) book.succeeded(idOf(i), `8.${i}.1.1:1`, 0);
  for (let i = 0; i < 10; i++) book.attempted(idOf(i), HOUR);
  const told = book.selectAround([idOf(3)], HOUR).map(({ nodeId }) => nodeId);
  t.deepEqual(
    told.sort(),
    [3, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((i) => idOf(i)),
  );
});

test('private, banned and unknown nodes are left out of an answer even if they are connected', (t) => {
  const book = makeBook();
  for (let i = 0; i < 4; i++) book.add(node(i, `8.${i}.1.1:1`), node(1, '99.1.2.3:5', 'b'), 0);
  book.setPrivate([idOf(0)]);
  book.ban(idOf(1), 0);
  t.deepEqual(
    book
      .selectAround(
        [0, 1, 2, 9].map((i) => idOf(i)),
        0,
      )
      .map(({ nodeId }) => nodeId)
      .sort(),
    [idOf(2), idOf(3)],
  );
});
