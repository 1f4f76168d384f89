// Tests of the selection of nodes for a peer that looks for others.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { AddressBook } from './address-book.ts';
import { knownNodes } from './address-selection.ts';
import { filledBook, HOUR, idOf, makeBook, node } from './testing/addresses.ts';

/** Returns the ids of at most `count` nodes of a book that fit. */
function known(
  book: AddressBook,
  count: number,
  now: number,
  isFit: (nodeId: string) => boolean = () => true,
): string[] {
  return knownNodes(count, (isEligible) => book.pick(0, now, isEligible), isFit);
}

test('nodes that answered the last dial come before new ones, and those that did not answer come last', (t) => {
  const book = makeBook();
  for (let i = 0; i < 20; i++) book.succeeded(idOf(i), `8.${i}.1.1:1`, 0);
  for (let i = 20; i < 30; i++) book.add(node(i, `8.${i}.1.1:1`), node(1, '99.1.2.3:5', 'b'), 0);
  for (let i = 10; i < 20; i++) book.attempted(idOf(i), HOUR);
  const numbers = known(book, 30, HOUR).map((nodeId) =>
    Array.from({ length: 30 }, (_, i) => idOf(i)).indexOf(nodeId),
  );
  t.is(numbers.length, 30);
  t.true(numbers.slice(0, 10).every((i) => i < 10));
  t.true(numbers.slice(10, 20).every((i) => i >= 20));
  t.true(numbers.slice(20).every((i) => i >= 10 && i < 20));
});

test('a selection is a random sample of the eligible nodes, and no larger than requested', (t) => {
  const book = filledBook(500, 500, { random: seededRandom(1) });
  const first = known(book, 16, 0);
  t.is(new Set(first).size, 16);
  t.notDeepEqual(first, known(book, 16, 0));
  const fit = new Set(first.slice(0, 3));
  t.deepEqual(new Set(known(book, 16, 0, (nodeId) => fit.has(nodeId))), fit);
  t.deepEqual(known(makeBook(), 16, 0), []);
});
