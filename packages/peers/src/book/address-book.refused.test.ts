// Tests of ids and addresses that the book refuses (own, private and banned ones), and of the end
// of bans.

import test from 'ava';
import { DAY, HOUR, idOf, makeBook, node, nodes } from './testing/addresses.ts';

const source = node(1, '99.1.2.3:5', 'b');

test('a banned id leaves the book, is not added again, and returns as a new address when its ban ends', (t) => {
  const book = makeBook();
  book.add(node(1, '1.1.1.1:1'), source, 0);
  book.succeeded(idOf(1), '1.1.1.1:1', 0);
  book.ban(idOf(1), 100, 1_000);
  t.true(book.isBanned(idOf(1), 1_099));
  t.is(book.size, 0);
  t.is(book.add(node(1, '2.2.2.2:2'), source, 500), 'banned', 'also at a new address');
  t.is(book.learn(node(1, '2.2.2.2:2'), 500), 'banned');
  book.succeeded(idOf(1), '1.1.1.1:1', 500);
  t.deepEqual(book.select(500), []);
  t.is(book.pick(50, 600), undefined);
  t.false(book.isBanned(idOf(1), 1_100));
  const fresh = { tried: false, failures: 0 };
  t.like(book.get(idOf(1)), { address: '1.1.1.1:1', ...fresh, source: '99.1.0.0' });
  t.is(book.pick(50, 1_100)?.nodeId, idOf(1));
});

test('a ban lasts 24 hours by default and 30 days at most, is never shortened, and can be lifted', (t) => {
  const book = makeBook();
  book.succeeded(idOf(1), '1.1.1.1:1', 0);
  book.ban(idOf(1), 0);
  book.ban(idOf(1), 0, 1_000);
  t.true(book.isBanned(idOf(1), DAY - 1));
  t.false(book.isBanned(idOf(1), DAY));
  book.ban(idOf(1), DAY, Infinity);
  t.false(book.isBanned(idOf(1), 31 * DAY));
  book.ban(idOf(1), 31 * DAY);
  book.unban(idOf(1), 31 * DAY);
  t.false(book.isBanned(idOf(1), 31 * DAY));
  t.is(book.get(idOf(1))?.address, '1.1.1.1:1');
  book.unban(idOf(1), 31 * DAY);
  book.ban(idOf(2), 31 * DAY);
  t.true(book.isBanned(idOf(2), 31 * DAY), 'unknown ids can be banned, too');
});

test('an address that another node took during the ban is not restored', (t) => {
  const book = makeBook();
  book.add(node(1, '1.1.1.1:1'), source, 0);
  book.ban(idOf(1), 0);
  book.add(node(2, '1.1.1.1:1'), source, 0);
  t.false(book.isBanned(idOf(1), 2 * DAY));
  t.is(book.at('1.1.1.1:1')?.nodeId, idOf(2));
  t.is(book.size, 1);
});

test('the number of bans is bounded: the one that ends soonest is removed', (t) => {
  const book = makeBook();
  book.add(node(7, '1.1.1.1:1'), source, 0);
  for (let i = 0; i < 4_096; i++) book.ban(idOf(i), 0, i === 7 ? HOUR : DAY);
  t.true(book.isBanned(idOf(7), 0));
  book.ban(idOf(5_000), 0);
  t.false(book.isBanned(idOf(7), 0));
  t.is(book.get(idOf(7))?.address, '1.1.1.1:1');
  t.true(book.isBanned(idOf(5_000), 0));
  t.true(book.isBanned(idOf(8), 0));
});

test('a clock that jumps back neither ends a ban early nor extends it', (t) => {
  const book = makeBook({ now: 1_000 });
  book.ban(idOf(1), 1_000, 500);
  t.true(book.isBanned(idOf(1), 0));
  book.ban(idOf(2), 0, 500);
  t.deepEqual([book.isBanned(idOf(2), 499), book.isBanned(idOf(2), 500)], [true, false]);
  t.deepEqual([book.isBanned(idOf(1), 1_499), book.isBanned(idOf(1), 1_500)], [true, false]);
  t.false(book.isBanned(idOf(1), 0), 'once over, it is over');
});

test('own addresses and the own id are never added', (t) => {
  const book = makeBook({ nodeId: idOf(9) });
  book.add(node(1, '1.1.1.1:1'), source, 0);
  book.addOwn('tcp://[::ffff:1.1.1.1]:1');
  book.addOwn('/path/of a socket');
  t.is(book.size, 0, 'and are removed when they turn out to be own');
  const own = ['1.1.1.1:1', '1.1.1.1:2', '/path/of a socket', ''].map((each) => book.isOwn(each));
  t.deepEqual(own, [true, false, true, false], 'also one that the book could not hold');
  t.is(book.add(node(1, '1.1.1.1:1'), source, 0), 'own');
  t.is(book.learn(node(1, '1.1.1.1:1'), 0), 'own');
  book.succeeded(idOf(1), '1.1.1.1:1', 0);
  t.is(book.add(node(9, '3.3.3.3:1'), source, 0), 'own');
  t.is(book.size, 0);
  const other = makeBook();
  other.add(node(9, '3.3.3.3:1'), source, 0);
  t.is(makeBook({ nodeId: idOf(9), saved: other.save(0) }).size, 0, 'nor restored');
});

test('the number of own addresses is bounded: the oldest is removed, but never a listener', (t) => {
  const book = makeBook();
  book.setOwn(['2.2.2.2:1', '']);
  for (let port = 1; port <= 300; port++) book.addOwn(`1.1.1.1:${port}`);
  const own = ['1.1.1.1:1', '1.1.1.1:300', '2.2.2.2:1'].map((address) => book.isOwn(address));
  t.deepEqual(own, [false, true, true]);
  book.removeOwn('1.1.1.1:300');
  t.false(book.isOwn('1.1.1.1:300'));
});

test('an address at which this node no longer listens may be added again', (t) => {
  const book = makeBook();
  book.add(node(1, '1.1.1.1:1'), source, 0);
  book.setOwn(['1.1.1.1:1']);
  t.is(book.size, 0);
  t.is(book.add(node(1, '1.1.1.1:1'), source, 0), 'own');
  book.setOwn(['2.2.2.2:1']);
  t.is(book.add(node(1, '1.1.1.1:1'), source, 0), 'added');
});

test('private ids never leak: they are neither added nor sent, and addresses from them are ignored', (t) => {
  const book = makeBook({ privateIds: [idOf(1)] });
  t.is(book.add(node(1, '1.1.1.1:1'), source, 0), 'private');
  t.is(book.add(node(2, '2.2.2.2:1'), node(1, '1.1.1.1:1'), 0), 'private');
  t.is(book.learn(node(1, '1.1.1.1:1'), 0), 'private');
  book.succeeded(idOf(1), '1.1.1.1:1', 0);
  t.is(book.size, 0);
  for (const [i, entry] of nodes(40, 3).entries()) {
    book.add({ ...entry, nodeId: idOf(i) }, source, 0);
    book.succeeded(idOf(i), entry.address, 0);
  }
  book.setPrivate([idOf(5), idOf(6)]);
  for (let i = 0; i < 50; i++)
    for (const { nodeId } of book.select(0, i))
      t.false([idOf(1), idOf(5), idOf(6)].includes(nodeId));
  t.is(book.get(idOf(5))?.tried, true, 'existing entries may still be dialed');
});
