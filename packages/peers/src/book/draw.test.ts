// Tests of drawing entries: picks with a bias, samples for answers, and the selection of nodes for
// a peer that looks for others.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { AddressBook } from './address-book.ts';
import { knownNodes } from './address-selection.ts';
import { DAY, filledBook, HOUR, idOf, MINUTE, makeBook, node } from './testing/addresses.ts';

const source = node(1, '99.1.2.3:5', 'b');
const biases = [-5, 0, 50, 100, 1_000, NaN];

/** Returns the share of new entries among this many picks. */
const shareOfNew = (book: AddressBook, bias: number, count: number) =>
  Array.from({ length: count }, () => book.pick(bias, 0)!).filter(({ tried }) => !tried).length /
  count;

test('an empty book has nothing to dial; one with only new or only tried entries returns them, whatever the bias', (t) => {
  for (const bias of biases) {
    t.is(makeBook().pick(bias, 0), undefined);
    t.is(filledBook(0, 1).pick(bias, 0)?.tried, false);
    t.is(filledBook(1, 0).pick(bias, 0)?.tried, true);
  }
});

test('the bias weighs new against tried entries by the roots of their numbers, and is clamped', (t) => {
  const book = filledBook(16, 64);
  const share = (bias: number) => shareOfNew(book, bias, 2_000);
  t.deepEqual([0, -100, 100, 101].map(share), [0, 0, 1, 1]);
  const even = share(50); // New to tried is 8 · 50 to 4 · 50.
  t.true(Math.abs(even - 2 / 3) < 0.04, String(even));
  const less = share(20); // New to tried is 8 · 20 to 4 · 80.
  t.true(Math.abs(less - 1 / 3) < 0.04, String(less));
  const picked = new Set(Array.from({ length: 6_000 }, () => book.pick(50, 0)!.nodeId));
  t.is(picked.size, book.size, 'every entry is picked at some time');
});

test('once enough entries are tried, new ones get a twentieth of the picks', (t) => {
  const share = (tried: number) => shareOfNew(filledBook(tried, 500), 100, 4_000);
  t.is(share(31), 1);
  const few = share(32);
  t.true(few > 0.03 && few < 0.065, String(few));
});

test('if no entry of one kind is eligible, one of the other kind is picked', (t) => {
  const book = filledBook(100, 100);
  for (let i = 0; i < 200; i++) {
    t.is(book.pick(0, 0, (entry) => !entry.tried)?.tried, false);
    t.is(book.pick(100, 0, (entry) => entry.tried)?.tried, true);
  }
  const none = book.pick(50, 0, () => false);
  t.is(none, undefined);
});

test('the only eligible entry of a full book is found with few questions', (t) => {
  const book = filledBook(1_500, 9_000);
  const slots = book.tried + book.save(0).buckets.flat().length;
  const all = [...book.entries()];
  for (const needle of [all[3]!.nodeId, all.at(-1)!.nodeId]) {
    for (let i = 0; i < 20; i++) {
      let asked = 0;
      const isNeedle = ({ nodeId }: { nodeId: string }) => {
        asked++;
        return nodeId === needle;
      };
      t.is(book.pick(30, 0, isNeedle)?.nodeId, needle);
      t.true(asked <= slots + 64, `${asked} questions about ${slots} places`);
    }
  }
  let asked = 0;
  book.pick(30, 0, () => ++asked > 0);
  t.is(asked, 1);
});

test('bad entries are picked only if nothing else is eligible, and never sent to others', (t) => {
  const book = makeBook();
  book.add(node(1, '1.1.1.1:1'), source, 0);
  for (let i = 0; i < 3; i++) book.attempted(idOf(1), 0);
  t.is(book.select(0).length, 1, 'the last attempt may be in progress');
  book.add(node(2, '2.2.2.2:1'), source, 2 * MINUTE);
  for (let i = 0; i < 100; i++) t.is(book.pick(50, 2 * MINUTE)?.nodeId, idOf(2));
  t.deepEqual(book.select(2 * MINUTE), [node(2, '2.2.2.2:1')]);
  t.is(book.pick(50, 2 * MINUTE, ({ nodeId }) => nodeId === idOf(1))?.nodeId, idOf(1));
});

test('an entry that nobody reported for a week is bad, and a new report makes it good', (t) => {
  const book = makeBook();
  book.add(node(1, '1.1.1.1:1'), source, 0);
  t.deepEqual([book.select(7 * DAY).length, book.select(7 * DAY + 1).length], [1, 0]);
  book.add(node(1, '1.1.1.1:1'), source, 7 * DAY + 1);
  t.is(book.select(7 * DAY + 1).length, 1);
});

test('ten failures without a success for a week make an entry bad; a tried one is then still dialed, but not sent', (t) => {
  const book = makeBook();
  book.succeeded(idOf(1), '1.1.1.1:1', 0);
  for (let i = 0; i < 10; i++) book.attempted(idOf(1), DAY);
  t.is(book.select(6 * DAY).length, 1);
  t.is(book.pick(50, 8 * DAY)?.nodeId, idOf(1));
  t.is(book.select(8 * DAY).length, 0);
});

test('an answer has 23 % of the book, at least 32 and at most 250 entries', (t) => {
  const lengths = { 0: 0, 1: 1, 31: 31, 32: 32, 100: 32, 200: 46, 1000: 230, 3000: 250 };
  for (const [key, length] of Object.entries(lengths)) {
    const size = Number(key);
    const book = filledBook(Math.floor(size / 2), Math.ceil(size / 2));
    t.is(book.size, size);
    for (const bias of [undefined, 0, 30, 100]) {
      const answer = book.select(0, bias);
      t.is(answer.length, length, `${size} with ${bias}`);
      t.is(new Set(answer.map(({ nodeId }) => nodeId)).size, length);
      for (const entry of answer) t.deepEqual(Object.keys(entry), ['nodeId', 'address']);
    }
  }
});

test('the bias is the percentage of new entries in an answer, if there are enough', (t) => {
  const fresh = (book: ReturnType<typeof makeBook>, bias: number) =>
    book.select(0, bias).filter(({ nodeId }) => !book.get(nodeId)!.tried).length;
  const book = filledBook(500, 500);
  const counts = [0, 30, 100, -1, 500].map((bias) => fresh(book, bias));
  t.deepEqual(counts, [0, 69, 230, 0, 230]);
  t.is(fresh(filledBook(9, 1), 30), 1);
  t.is(fresh(filledBook(1, 9), 30), 9);
  t.is(fresh(filledBook(500, 10), 100), 10, 'tried entries fill it up');
  t.is(fresh(filledBook(10, 500), 0), 107, 'new entries fill it up');
});

test('an answer is in random order, different each time', (t) => {
  const book = filledBook(60, 60);
  const first = (length: number) =>
    new Set(Array.from({ length }, () => book.select(0, 50)[0]!.nodeId));
  t.true(first(200).size > 60);
  const isTried = () => book.get(book.select(0, 50)[0]!.nodeId)!.tried;
  const tried = Array.from({ length: 400 }, isTried).filter(Boolean).length;
  t.true(tried > 130 && tried < 270, String(tried));
});

test('returned entries are frozen, and later changes of the book do not affect them', (t) => {
  const book = filledBook(1, 0);
  const entry = book.pick(50, 0)!;
  t.throws(() => Object.assign(entry, { failures: 5 }), { instanceOf: TypeError });
  book.attempted(entry.nodeId, 1);
  t.is(entry.failures, 0);
});

test('an answer has all connected nodes plus a quarter as many others; at least 32 in total if known, at most 250', (t) => {
  const book = filledBook(500, 500, { random: seededRandom(1) });
  const all = [...book.entries()].map(({ nodeId }) => nodeId);
  const lengths = { 0: 32, 10: 32, 32: 40, 100: 125, 240: 250, 400: 250 };
  for (const [key, length] of Object.entries(lengths)) {
    const there = Number(key);
    const alive = all.slice(0, there);
    const told = book.selectAround(alive, 0).map(({ nodeId }) => nodeId);
    t.is(told.length, length, `${there} there`);
    t.is(new Set(told).size, length);
    if (there <= 200) t.true(alive.every((nodeId) => told.includes(nodeId)));
  }
  t.notDeepEqual(book.selectAround(all.slice(0, 20), 0), book.selectAround(all.slice(0, 20), 0));
  t.is(filledBook(2, 2).selectAround([], 0).length, 4);
});

test('nodes that did not answer their last dial are left out of an answer, unless they are connected', (t) => {
  const book = makeBook();
  for (let i = 0; i < 20; i++) book.succeeded(idOf(i), `8.${i}.1.1:1`, 0);
  for (let i = 0; i < 10; i++) book.attempted(idOf(i), HOUR);
  const told = book.selectAround([idOf(3)], HOUR).map(({ nodeId }) => nodeId);
  const expected = [3, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((i) => idOf(i));
  t.deepEqual(told.sort(), expected);
});

test('private, banned and unknown nodes are left out of an answer even if they are connected', (t) => {
  const book = makeBook();
  for (let i = 0; i < 4; i++) book.add(node(i, `8.${i}.1.1:1`), source, 0);
  book.setPrivate([idOf(0)]);
  book.ban(idOf(1), 0);
  const alive = [0, 1, 2, 9].map((i) => idOf(i));
  const told = book.selectAround(alive, 0).map(({ nodeId }) => nodeId);
  t.deepEqual(told.sort(), [idOf(2), idOf(3)]);
});

/** Returns the ids of at most `count` nodes of a book that fit. */
const known = (book: AddressBook, count: number, now: number, isFit = (_: string) => true) =>
  knownNodes(count, (isEligible) => book.pick(0, now, isEligible), isFit);

test('nodes that answered the last dial come before new ones, and those that did not answer come last', (t) => {
  const book = makeBook();
  for (let i = 0; i < 20; i++) book.succeeded(idOf(i), `8.${i}.1.1:1`, 0);
  for (let i = 20; i < 30; i++) book.add(node(i, `8.${i}.1.1:1`), source, 0);
  for (let i = 10; i < 20; i++) book.attempted(idOf(i), HOUR);
  const numbers = known(book, 30, HOUR).map((nodeId) => Number.parseInt(nodeId.slice(1), 16));
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
