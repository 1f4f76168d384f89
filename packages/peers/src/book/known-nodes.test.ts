// Tests of the selection of nodes for a peer that looks for others.

import { seededRandom } from '@trunkline/transport-core';
import test from 'ava';
import { knownNodes } from './known-nodes.ts';
import { filledBook, HOUR, idOf, makeBook } from './testing/addresses.ts';

test('nodes that answered the last dial come before new ones, and those that did not answer come last', (t) => {
  const book = makeBook();
  for (let i = 0; i < 20; i++) book.succeeded(idOf(i), `8.${i}.1.1:1`, 0);
  for (let i = 20; i < 30; i++)
    book.add({ nodeId: idOf(i), address: `8.${i}.1.1:1` }, undefined, 0);
  for (let i = 10; i < 20; i++) book.attempted(idOf(i), HOUR);
  const numbers = knownNodes(book, 30, HOUR, () => true).map((nodeId) =>
    Array.from({ length: 30 }, (_, i) => idOf(i)).indexOf(nodeId),
  );
  t.is(numbers.length, 30);
  t.true(numbers.slice(0, 10).every((i) => i < 10));
  t.true(numbers.slice(10, 20).every((i) => i >= 20));
  t.true(numbers.slice(20).every((i) => i >= 10 && i < 20));
});

test('it is a random sample of the eligible nodes, and no larger than requested', (t) => {
  const book = filledBook(500, 500, { random: seededRandom(1) });
  const first = knownNodes(book, 16, 0, () => true);
  t.is(new Set(first).size, 16);
  t.notDeepEqual(
    first,
    knownNodes(book, 16, 0, () => true),
  );
  const fit = new Set(first.slice(0, 3));
  t.deepEqual(new Set(knownNodes(book, 16, 0, (nodeId) => fit.has(nodeId))), fit);
  t.deepEqual(
    knownNodes(makeBook(), 16, 0, () => true),
    [],
  );
});
