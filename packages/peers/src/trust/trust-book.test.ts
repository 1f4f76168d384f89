// Tests of the trust book: records of present and absent peers, its bound, saving and restoring.

import test from 'ava';
import { TrustBook } from './trust-book.ts';

const MINUTE = 60_000;
const id = (n: number) => n.toString(16).padStart(64, '0');
const ids = (book: TrustBook) => book.save().peers.map((peer) => peer.nodeId);

/** Records every two seconds, for the given time, that the peer was heard. */
const pass = (book: TrustBook, n: number, time: number) => {
  for (let past = 0; past < time; past += 2_000) book.looked(id(n), 2_000, 'good');
};

test('each peer has its own record; that of an unknown one is perfect and takes no memory', (t) => {
  const book = new TrustBook();
  t.is(book.score(id(1)), 100);
  t.is(book.size, 0);
  for (const n of [1, 2]) book.connected(id(n));
  book.bad(id(1), 3);
  book.good(id(2));
  t.deepEqual([book.score(id(1)), book.score(id(2))], [0, 100]);
});

test('the record stays while the peer is away, when events count but time does not', (t) => {
  const book = new TrustBook();
  book.connected(id(1));
  book.bad(id(1));
  pass(book, 1, 2 * MINUTE);
  book.gone(id(1));
  const score = book.score(id(1));
  t.true(score > 0 && score < 100);
  pass(book, 1, 10 * MINUTE);
  t.is(book.score(id(1)), score);
  book.bad(id(1), 1_000);
  t.is(book.score(id(1)), 0);
  book.connected(id(1));
  pass(book, 1, 10 * MINUTE);
  t.true(book.score(id(1)) > 0);
});

test('arriving twice counts once, and a peer that never arrived cannot leave', (t) => {
  const book = new TrustBook();
  book.connected(id(1));
  book.bad(id(1));
  book.connected(id(1));
  t.is(book.score(id(1)), 0);
  book.gone(id(1));
  book.gone(id(1));
  book.gone(id(2));
  t.is(book.size, 1);
});

test('when there is one peer too many, the one that was away longest is forgotten', (t) => {
  const book = new TrustBook(undefined, 3);
  for (const n of [1, 2, 3]) book.connected(id(n));
  book.gone(id(2));
  book.gone(id(1));
  book.connected(id(4));
  t.deepEqual(ids(book), [1, 3, 4].map(id));
  book.gone(id(3));
  book.connected(id(5));
  t.deepEqual(ids(book), [3, 4, 5].map(id));
  // An event of a peer that is away renews its place, as a visit would.
  book.gone(id(4));
  book.bad(id(3));
  book.connected(id(6));
  t.deepEqual(ids(book), [3, 5, 6].map(id));
});

test('if no peer is away, the record of the longest present one starts anew', (t) => {
  const book = new TrustBook(undefined, 2);
  for (const n of [1, 2, 3]) {
    book.connected(id(n));
    book.bad(id(n));
  }
  t.is(book.size, 2);
  t.deepEqual([book.score(id(1)), book.score(id(3))], [100, 0]);
});

test('a trust book holds 4,096 peers, however many come and go', (t) => {
  const book = new TrustBook();
  for (let n = 0; n < 10_000; n++) {
    book.connected(id(n));
    book.gone(id(n));
    book.bad(id(20_000 + n));
  }
  t.is(book.size, 4_096);
  t.is(book.score(id(29_999)), 0);
});

test('saved records are restored after a restart, all of them as absent', (t) => {
  const book = new TrustBook();
  for (let n = 0; n < 50; n++) {
    book.connected(id(n));
    if (n % 3 === 0) book.bad(id(n), 1 + n);
    book.good(id(n), 7);
    if (n % 2 === 0) book.gone(id(n));
  }
  pass(book, 1, 20 * MINUTE);
  const saved = book.save();
  const restored = new TrustBook(JSON.parse(JSON.stringify(saved)));
  t.is(restored.size, 50);
  t.deepEqual(restored.save(), saved);
  for (let n = 0; n < 50; n++) t.is(restored.score(id(n)), book.score(id(n)));
});

test('an invalid document restores nothing; invalid entries are dropped one by one, and the rest is kept', (t) => {
  const saved = new TrustBook().save();
  const documents = [{ peers: [] }, { ...saved, version: 2 }, { version: 1, peers: null }];
  const lists = [{ version: 1, peers: { length: 2 } }, ...documents];
  for (const value of [undefined, null, 1, 'x', [], {}, ...lists])
    t.is(new TrustBook(value).size, 0);
  const book = new TrustBook();
  for (const n of [1, 2]) book.bad(id(n));
  const { peers } = book.save();
  const [first, second] = peers;
  const wrong = [{ nodeId: 'X' }, { nodeId: 7 }, { nodeId: id(4), intervals: -1 }];
  const garbage = [
    ...[null, 7, 'x', [], {}, { nodeId: id(3) }],
    ...wrong.map((part) => ({ ...first, ...part })),
  ];
  const twice = { ...first, good: 99 };
  const hostile = JSON.parse(
    `{"__proto__":{"nodeId":"${id(5)}","intervals":0,"history":[],"good":1,"bad":0,"elapsed":0}}`,
  );
  const entries = [...garbage, first, hostile, second, twice];
  const restored = new TrustBook({ version: 1, peers: entries });
  t.deepEqual(restored.save().peers, peers);
});

test('if a document has too many records, those that were present last are kept', (t) => {
  const book = new TrustBook();
  for (let n = 0; n < 100; n++) book.bad(id(n));
  const restored = new TrustBook(book.save(), 10);
  t.is(restored.size, 10);
  t.deepEqual([restored.score(id(99)), restored.score(id(89))], [0, 100]);
});
