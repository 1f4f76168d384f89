// Tests of saving and restoring a book, including documents with invalid content.

import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { AddressBook } from './address-book.ts';
import { type BookDocument, formatBook, parseBook, type SavedEntry } from './document.ts';
import {
  DAY,
  filledBook,
  HOUR,
  idOf,
  MINUTE,
  makeBook,
  node,
  unreached,
} from './testing/addresses.ts';

const reload = (book: AddressBook, now: number, later = 0, random: Random = seededRandom(1)) =>
  makeBook({ random, now: later, saved: parseBook(formatBook(book.save(now))) });

test('a book read from its text equals the saved book, including its secret', (t) => {
  const book = filledBook(300, 900);
  for (const { nodeId } of [...book.entries()].slice(0, 100)) book.attempted(nodeId, 500);
  const again = reload(book, 1_000, 9_000_000);
  t.deepEqual(again.save(9_000_000), book.save(1_000));
  t.deepEqual([again.size, again.tried, again.fresh], [1_200, 300, 900]);
  const [first] = book.entries();
  const times = { lastAttempt: 9_000_000 - 500, lastSuccess: 9_000_000 - 1_000 };
  t.deepEqual(again.get(first!.nodeId), { ...first!, ...times });
});

test('an empty book can be saved, and unrelated books have different secrets', (t) => {
  const book = makeBook();
  t.is(reload(book, 0).size, 0);
  t.is(reload(book, 0, 0, seededRandom(2)).save(0).key, book.save(0).key);
  t.not(makeBook({ random: seededRandom(2) }).save(0).key, book.save(0).key);
});

test('after a restart a ban continues for its remaining time, and its address returns afterwards', (t) => {
  const book = filledBook(1, 0);
  const [entry] = book.entries();
  book.ban(entry!.nodeId, 0);
  const again = reload(book, 23 * HOUR, 5_000_000);
  t.true(again.isBanned(entry!.nodeId, 5_000_000 + HOUR - 1));
  t.false(again.isBanned(entry!.nodeId, 5_000_000 + HOUR));
  t.is(again.get(entry!.nodeId)?.address, entry!.address);
});

test('invalid ages are corrected, so that no ban is endless and no report stays young forever', (t) => {
  const numbers = [-1, -1e300, NaN, Infinity, -Infinity, 1e300];
  const odd = [...numbers, null, undefined, 'x', {}] as unknown as number[];
  const entries = odd.map((age, i): SavedEntry => {
    const times = { added: age, seen: age, attempt: age, success: age };
    return { ...node(i, `${i + 1}.1.1.1:1`), source: 'x', tried: true, failures: age, ...times };
  });
  const bans = odd.map((left, i) => ({ ...node(100 + i, `${i + 1}.2.2.2:1`), left, source: 'x' }));
  const now = 1_000_000;
  const book = makeBook({ now, saved: { key: 'ab'.repeat(32), entries, buckets: [], bans } });
  t.is(book.tried, odd.length);
  for (const { lastAttempt, lastSuccess, failures } of book.entries()) {
    for (const time of [lastAttempt, lastSuccess])
      t.true(time === undefined || (time <= now && time >= now - 30 * DAY), String(time));
    t.true(Number.isInteger(failures) && failures >= 0);
  }
  for (let i = 0; i < odd.length; i++) t.false(book.isBanned(idOf(100 + i), now + 30 * DAY));
  t.is(book.size, 2 * odd.length, 'every banned node is back');
});

test('invalid entries are left out, and the rest is kept', (t) => {
  const good = (number: number, address: string, more = {}) => ({
    ...unreached,
    ...node(number, address),
    ...more,
  });
  const entries = [
    good(1, '1.1.1.1:1'),
    ...[null, 'x', 7, {}],
    good(1, '2.2.2.2:1'),
    good(3, '[::ffff:1.1.1.1]:1'),
    good(4, '4.4.4.4:1', { nodeId: 'x' }),
    ...['a b', '169.254.169.254:80', '10.0.0.1:1'].map((address, i) => good(5 + i, address)),
    good(8, '8.8.8.8:1', { tried: true }),
    good(9, '9.9.9.9:1', { source: 5 }),
    good(11, '11.1.1.1:1'),
  ] as unknown as SavedEntry[];
  const bans = [
    ...[null, {}, { nodeId: 'x' }],
    { nodeId: idOf(11), left: MINUTE, address: null, source: '' },
  ] as unknown as BookDocument['bans'];
  const first = [0, 0, 1, 99, -1, 0.5, 'x', 11];
  const buckets = [first, [0], [0], [0], [0]] as number[][];
  const book = makeBook({ mode: 'public', saved: { key: 'nonsense', entries, buckets, bans } });
  const ids = [...book.entries()].map(({ nodeId }) => nodeId);
  t.deepEqual(ids, [idOf(8), idOf(1), idOf(9)]);
  const { buckets: saved } = book.save(0);
  t.is(saved.flat().length, 4 + 1, 'an address is in at most 4 buckets');
  t.regex(book.save(0).key, /^[0-9a-f]{64}$/);
});

test('overfull buckets of a document are cut to their size', (t) => {
  const entries = Array.from({ length: 500 }, (_, i) => ({
    ...unreached,
    ...node(i, `1.2.${i >> 8}.${i & 255}:1`),
    tried: i < 400,
  }));
  const buckets = Array.from({ length: 400 }, () => entries.map((_, i) => i));
  const book = makeBook({ saved: { key: 'ab'.repeat(32), entries, buckets, bans: [] } });
  t.true(book.tried <= 256);
  for (const bucket of book.save(0).buckets) t.true(bucket.length <= 64);
  t.is(book.save(0).buckets.length, 256);
});

test('every operation leaves a book consistent, and its copy picks the same entries', (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const mode = seed % 2 === 0 ? 'any' : 'public';
    const random = seededRandom(seed);
    let drawn = seededRandom(seed + 1_000);
    const book = makeBook({ random: () => drawn(), mode, nodeId: idOf(0, 'c') });
    const below = (count: number) => Math.floor(random() * count);
    // Few ids and few hosts, so that they collide; many ports, so that buckets fill up.
    const someId = () => idOf(below(seed < 7 ? 150 : 3_000));
    const someAddress = () =>
      `${20 + below(3)}.${below(2)}.1.${1 + below(seed < 7 ? 30 : 250)}:${1 + below(mode === 'any' ? 500 : 12)}`;
    const some = () => ({ nodeId: someId(), address: someAddress() });
    let now = 0;
    for (let step = 0; step < 4_000; step++) {
      now += below(20_000);
      const pick = random();
      if (pick < 0.45) book.add(some(), node(step, `${30 + below(6)}.${below(3)}.1.1:1`, 'b'), now);
      else if (pick < 0.55) book.attempted(someId(), now);
      else if (pick < 0.75)
        book.succeeded(book.pick(below(101), now)?.nodeId ?? someId(), someAddress(), now);
      else if (pick < 0.8) dial(book, now, below(101), random() < 0.5);
      else if (pick < 0.88) book.learn(some(), now, random() < 0.5 ? someAddress() : undefined);
      else if (pick < 0.91) book.ban(someId(), now, 1 + below(DAY));
      else if (pick < 0.93) book.unban(someId(), now);
      else if (pick < 0.95) book.remove(someId());
      else if (pick < 0.955) book.addOwn(someAddress());
      else if (pick < 0.97) book.toTest(now);
      else book.select(now, below(101));
      if (step % 500 === 499) checkOrder(book, now, mode);
    }
    // Alternatives are not saved, so `learn` removes them before the comparison.
    for (const { nodeId, address } of book.entries()) book.learn({ nodeId, address }, now);
    const later = 123;
    const saved = parseBook(formatBook(book.save(now)));
    const copy = makeBook({ random: seededRandom(seed + 5_000), now: later, mode, saved });
    t.deepEqual(copy.save(later), book.save(now), `seed ${seed}`);
    drawn = seededRandom(seed + 5_000);
    for (let i = 0; i < 300; i++) {
      const bias = i % 101;
      t.is(copy.pick(bias, later)?.nodeId, book.pick(bias, now)?.nodeId);
      if (i % 50 === 0) t.deepEqual(copy.select(later, bias), book.select(now, bias));
    }
  }
});

function dial(book: AddressBook, now: number, bias: number, isThere: boolean): void {
  const entry = book.pick(bias, now);
  if (entry === undefined) return;
  book.attempted(entry.nodeId, now, entry.address);
  if (isThere) book.succeeded(entry.nodeId, entry.address, now);
  else book.failed(entry.nodeId, entry.address, now);
}

/** Checks that index and buckets agree, that quotas hold, and that nothing occurs twice. */
function checkOrder(book: AddressBook, now: number, mode: 'any' | 'public'): void {
  const fail = (problem: string) => {
    throw new Error(problem);
  };
  const { entries, buckets, bans } = book.save(now);
  const all = [...book.entries()];
  const counts = [all.length, entries.length, book.tried + book.fresh];
  if (counts.some((count) => count !== book.size)) fail('counts');
  if (all.filter((entry) => entry.tried).length !== book.tried) fail('tried');
  if (new Set(all.map(({ nodeId }) => nodeId)).size !== all.length) fail('an id twice');
  if (new Set(all.map(({ address }) => address)).size !== all.length) fail('an address twice');
  const inBuckets = new Map<number, number>();
  for (const bucket of buckets) {
    if (bucket.length > 64 || new Set(bucket).size !== bucket.length) fail('bucket');
    for (const position of bucket) inBuckets.set(position, (inBuckets.get(position) ?? 0) + 1);
  }
  const hosts = new Map<string, number>();
  for (const [position, { nodeId, address, tried }] of entries.entries()) {
    const count = inBuckets.get(position) ?? 0;
    if (tried ? count !== 0 : count < 1 || count > 4) fail(`in ${count} buckets`);
    if (book.get(nodeId)?.address !== address || book.at(address)?.nodeId !== nodeId) fail('index');
    if (book.isOwn(address) || book.isBanned(nodeId, now)) fail('own or banned');
    const host = address.split(':')[0]!;
    hosts.set(host, (hosts.get(host) ?? 0) + 1);
  }
  if (mode === 'public' && Math.max(0, ...hosts.values()) > 8) fail('host');
  for (const { left } of bans) if (!(left > 0 && left <= DAY)) fail(`ban of ${left}`);
}
