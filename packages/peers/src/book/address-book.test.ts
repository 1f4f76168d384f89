// Tests of the address book: adding, learning, promoting and bounds.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { DAY, filledBook, idOf, MINUTE, makeBook, node, nodes } from './testing/addresses.ts';

const source = node(1, '99.1.2.3:5', 'b');

test('an address is added once, whoever sends it', (t) => {
  const book = makeBook();
  const entry = node(1, '1.1.1.1:1');
  t.is(book.add(entry, source, 0), 'added');
  t.is(book.add(entry, source, 0), 'known');
  t.is(book.add(entry, node(2, '98.1.1.1:1', 'b'), 0), 'known');
  t.is(book.size, 1);
  const never = { lastAttempt: undefined, lastSuccess: undefined };
  const expected = { ...entry, tried: false, failures: 0, ...never, source: '99.1.0.0' };
  t.deepEqual(book.get(entry.nodeId), expected);
});

test('one address has one entry, however it is spelled', (t) => {
  const book = makeBook();
  t.is(book.add(node(1, 'tcp://[::ffff:1.2.3.4]:80'), source, 0), 'added');
  for (const address of ['1.2.3.4:80', '[::FFFF:102:304]:080', 'TCP://1.2.3.4:80/']) {
    t.is(book.add(node(1, address), source, 0), 'known');
    t.is(book.add(node(2, address), source, 0), 'known', 'another id cannot take the address');
    t.is(book.at(address)?.nodeId, idOf(1));
  }
  t.is(book.add(node(3, '[2606::1%eth0]:7'), source, 0), 'added');
  t.is(book.add(node(3, '[2606:0:0::0001]:7'), source, 0), 'known');
  t.is(book.at('[2606::1%eth1]:7')?.address, '[2606::1]:7');
  t.is(book.size, 2);
});

test('an address from others replaces neither a reached address nor its id', (t) => {
  const book = makeBook();
  const real = node(1, '1.1.1.1:1');
  book.add(real, source, 0);
  book.attempted(real.nodeId, 0);
  book.succeeded(real.nodeId, real.address, 1);
  for (let i = 0; i < 10; i++) {
    t.is(book.add(node(1, '2.2.2.2:2'), node(i, `${90 + i}.1.1.1:1`, 'b'), 2), 'vetted');
    t.is(book.add(node(2, '1.1.1.1:1'), source, 2), 'vetted');
    t.deepEqual(book.select(2), [real]);
  }
});

test('an address from others replaces another such address only if that one is bad', (t) => {
  const book = makeBook();
  book.add(node(1, '1.1.1.1:1'), source, 0);
  t.is(book.add(node(1, '2.2.2.2:2'), source, 0), 'known');
  t.is(book.get(idOf(1))?.address, '1.1.1.1:1');
  for (let i = 0; i < 3; i++) book.attempted(idOf(1), i);
  const early = book.add(node(1, '2.2.2.2:2'), source, 30_000);
  t.is(early, 'known', 'the last attempt may be in progress');
  t.is(book.add(node(1, '2.2.2.2:2'), source, 2 * MINUTE), 'added');
  t.like(book.get(idOf(1)), { address: '2.2.2.2:2', failures: 0 });
  t.is(book.at('1.1.1.1:1'), undefined);
  for (let i = 0; i < 3; i++) book.attempted(idOf(1), 3 * MINUTE);
  t.is(book.add(node(5, '2.2.2.2:2'), source, 5 * MINUTE), 'added');
  t.is(book.get(idOf(1)), undefined);
  t.is(book.size, 1);
});

test('more sources put an address in more buckets, with falling probability, and in 4 at most', (t) => {
  const book = makeBook();
  const all = nodes(400, 6);
  const inBuckets = () => book.save(0).buckets.flat().length / all.length;
  for (const entry of all) book.add(entry, source, 0);
  t.is(book.size, 400);
  for (const [i, entry] of all.entries())
    book.add(entry, node(i, `${20 + (i % 100)}.7.1.1:1`, 'b'), 0);
  const second = inBuckets();
  t.true(second > 1.4 && second < 1.6, String(second));

  const told = makeBook();
  for (let i = 0; i < 400; i++)
    told.add(node(1, '1.1.1.1:1'), node(i, `${20 + (i % 100)}.${i}.1.1:1`, 'b'), 0);
  t.is(told.save(0).buckets.flat().length, 4);
  t.is(told.fresh, 1);
});

test('a full bucket evicts a bad address, otherwise the one that was added or attempted first', (t) => {
  const book = makeBook();
  // All addresses are of one group and from one source, so they share one bucket.
  for (let i = 0; i < 64; i++) t.is(book.add(node(i, `1.1.1.${i}:1`), source, i), 'added');
  for (let i = 0; i < 3; i++) book.attempted(idOf(40), 100);
  book.attempted(idOf(0), 100);
  book.add(node(64, '1.1.1.64:1'), source, 2 * MINUTE);
  t.is(book.get(idOf(40)), undefined, 'the bad one');
  book.add(node(65, '1.1.1.65:1'), source, 2 * MINUTE);
  t.is(book.get(idOf(1)), undefined, 'the oldest');
  t.not(book.get(idOf(0)), undefined);
  t.is(book.size, 64);
});

test('invalid addresses, and those where no node can be, are refused', (t) => {
  const book = makeBook();
  const add = (address: string) => book.add(node(1, address), source, 0);
  const texts = ['', 'a b:1', '1.1.1.1:99999', '1.1.1.1:1\u0000', '127.1:80', 'x'.repeat(257)];
  for (const address of [...texts, `${idOf(1)}@1.1.1.1:1`])
    t.is(add(address), 'malformed', address);
  const undialable =
    '1.1.1.1:0 0.0.0.0:1 224.0.0.1:1 169.254.169.254:80 240.0.0.1:1 [fe80::1%eth0]:1';
  for (const address of undialable.split(' ')) t.is(add(address), 'undialable', address);
  t.is(book.add(node(1, '1.1.1.1:1'), node(5, 'no address'), 0), 'added', 'the source may be odd');
  t.is(book.size, 1);
});

test('in public mode only public places are added, and at most 8 per host; otherwise as many as a cluster has nodes', (t) => {
  const book = makeBook({ mode: 'public' });
  const inner =
    '10.0.0.1:1 127.0.0.1:1 localhost:1 n17 [::ffff:192.168.0.1]:1 100.64.1.1:1 192.0.2.1:1';
  for (const address of inner.split(' ')) {
    t.is(book.add(node(1, address), source, 0), 'undialable', address);
    t.is(book.learn(node(1, address), 0), 'undialable', address);
    book.succeeded(idOf(1), address, 0);
  }
  t.is(book.size, 0);
  const any = makeBook();
  for (let port = 1; port <= 60; port++) {
    t.is(book.add(node(port, `9.9.9.9:${port}`), source, 0), port <= 8 ? 'added' : 'full');
    t.is(any.add(node(port, `127.0.0.1:${port}`), source, 0), 'added');
  }
  t.is(book.learn(node(70, '[::ffff:9.9.9.9]:70'), 0), 'full');
  t.is(book.learn(node(1, '9.9.9.9:70'), 0), 'added', 'an entry may still change its port');
  book.remove(idOf(2));
  t.is(book.add(node(30, '9.9.9.9:71'), source, 0), 'added');
  t.deepEqual([book.size, any.size], [8, 60]);
});

test('a success makes an entry tried and resets its failures', (t) => {
  const book = makeBook();
  book.add(node(1, '1.1.1.1:1'), source, 0);
  book.attempted(idOf(1), 10);
  book.attempted(idOf(1), 20);
  t.like(book.get(idOf(1)), { tried: false, failures: 2, lastAttempt: 20, lastSuccess: undefined });
  book.succeeded(idOf(1), 'tcp://1.1.1.1:1', 30);
  const times = { lastAttempt: 30, lastSuccess: 30 };
  t.like(book.get(idOf(1)), { tried: true, failures: 0, ...times, source: '99.1.0.0' });
  t.is(book.add(node(1, '1.1.1.1:1'), source, 40), 'known');
  const counts = [book.size, book.tried, book.fresh];
  t.deepEqual(counts, [1, 1, 0], 'and it stays tried when it is sent again');
});

test('a dial that reached a node records it at that address, and removes any other node from there', (t) => {
  const book = makeBook();
  book.add(node(1, '1.1.1.1:1'), source, 0);
  book.add(node(2, '2.2.2.2:1'), source, 0);
  book.succeeded(idOf(2), '2.2.2.2:1', 0);
  book.succeeded(idOf(1), '2.2.2.2:1', 5);
  t.like(book.get(idOf(1)), { address: '2.2.2.2:1', tried: true, lastSuccess: 5 });
  t.is(book.get(idOf(2)), undefined);
  t.is(book.at('1.1.1.1:1'), undefined);
  book.succeeded(idOf(7), '7.7.7.7:1', 6);
  t.like(book.get(idOf(7)), { tried: true });
  t.deepEqual([book.size, book.tried], [2, 2]);
});

test('a node that moved announces it over its own link, and is new again until it is reached', (t) => {
  const book = makeBook();
  book.succeeded(idOf(1), '1.1.1.1:1', 0);
  t.is(book.learn(node(1, '2.2.2.2:1'), 10, '3.3.3.3:555'), 'added');
  const fresh = { tried: false, lastSuccess: undefined };
  t.like(book.get(idOf(1)), { address: '2.2.2.2:1', ...fresh, source: '3.3.0.0' });
  t.is(book.at('1.1.1.1:1'), undefined);
  t.is(book.learn(node(1, 'tcp://2.2.2.2:1'), 20), 'known');
  t.is(book.size, 1);
});

test('a peer gets an address that another id holds, unless that id was reached there within a week', (t) => {
  const book = makeBook();
  book.add(node(1, '1.1.1.1:1'), source, 0);
  t.is(book.learn(node(2, '1.1.1.1:1'), 0), 'added');
  t.is(book.get(idOf(1)), undefined);
  book.succeeded(idOf(2), '1.1.1.1:1', 0);
  t.is(book.learn(node(3, '1.1.1.1:1'), 7 * DAY), 'vetted');
  t.is(book.learn(node(3, '1.1.1.1:1'), 8 * DAY), 'added');
  t.is(book.at('1.1.1.1:1')?.nodeId, idOf(3));
  t.is(book.size, 1);
});

test('a node that is not at its address is removed', (t) => {
  const book = makeBook();
  book.succeeded(idOf(1), '1.1.1.1:1', 0);
  book.remove(idOf(1));
  t.is(book.size, 0);
  t.is(book.add(node(2, '1.1.1.1:1'), source, 0), 'added');
  t.true(book.remove(idOf(2)));
  t.false(book.remove(idOf(2)));
  book.attempted(idOf(2), 0);
  book.remove(idOf(2));
  t.is(book.tried + book.fresh, 0);
});

test('100,000 addresses with duplicates and garbage leave a bounded book of the good ones', (t) => {
  const book = makeBook({ mode: 'public' });
  const random = seededRandom(21);
  const all = nodes(20_000, 22);
  const garbage = [
    ...['', 'a b', '\u0000', 'x'.repeat(1_000)],
    ...'1.1.1.1:0 127.0.0.1:1 999.1.1.1:1 localhost:1 ::1'.split(' '),
  ];
  let added = 0;
  for (let i = 0; i < 100_000; i++) {
    const teller = node(i % 500, `${1 + (i % 223)}.${i % 37}.1.1:1`, 'b');
    if (i % 4 === 0) t.not(book.add(node(i, garbage[i % garbage.length]!), teller, i), 'added');
    else if (book.add(all[Math.floor(random() * all.length)]!, teller, i) === 'added') added++;
  }
  t.true(added >= book.size);
  t.true(book.size > 10_000 && book.size <= 256 * 64, String(book.size));
  for (const entry of book.entries())
    if (!/^\d+\.\d+\.\d+\.\d+:\d+$/.test(entry.address)) t.fail(entry.address);
});

test('news reports when an entry was added, not when it was sent again', (t) => {
  const book = makeBook();
  const { news } = book;
  book.add(node(1, '1.1.1.1:0'), source, 0);
  t.is(book.news, news);
  book.add(node(1, '1.1.1.1:1'), source, 0);
  const after = book.news;
  t.not(after, news);
  book.add(node(1, '1.1.1.1:1'), source, 0);
  book.succeeded(idOf(1), '1.1.1.1:1', 0);
  t.is(book.news, after);
});

test('a book with fewer than 1,000 entries wants more', (t) => {
  t.true(filledBook(0, 900).needsMore);
  t.false(filledBook(500, 600).needsMore);
});
