// Tests of the address book against attackers that report many addresses: shares of dials, quotas
// of buckets, test-before-evict.

import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { placeOf } from '../address/place.ts';
import { seeds } from '../testing/seeds.ts';
import type { AddressBook } from './address-book.ts';
import { type BookAddress, Placement } from './entries.ts';
import { anyAddress, filledBook, HOUR, idOf, MINUTE, makeBook, node } from './testing/addresses.ts';

const isAttacker = (nodeId: string) => nodeId.startsWith('e');

/** 100 addresses in each of 100 groups; no honest node has an address in these groups. */
const attackers: BookAddress[] = Array.from({ length: 10_000 }, (_, i) => {
  const group = i % 100;
  return node(i, `${190 + (group >> 5)}.${group}.${i >> 8}.${i & 255}:7000`, 'e');
});

type Teller = (i: number, random: Random) => BookAddress;
/** The sources that report an attacker's address: its own groups, or groups everywhere. */
const tellers: Record<string, Teller> = {
  'their own groups': (i) => attackers[(i * 7) % attackers.length]!,
  'many groups': (i, random) => node(i, anyAddress(random), 'f'),
};

function attack(book: AddressBook, tell: Teller, now: number): void {
  const random = seededRandom(13);
  for (const [i, entry] of attackers.entries()) book.add(entry, tell(i, random), now);
}

for (const [name, tell] of Object.entries(tellers)) {
  test(`10,000 addresses of an attacker, sent from ${name}, get at most a tenth of the dials, even if all answer`, (t) => {
    for (const seed of seeds(2)) {
      const book = filledBook(1_000, 200, { random: seededRandom(seed) });
      const honest = [...book.entries()].filter((entry) => entry.tried);
      t.is(honest.length, 1_000);
      attack(book, tell, MINUTE);
      const left = () => honest.filter(({ nodeId }) => book.get(nodeId)?.tried).length;
      t.is(left(), 1_000, 'reports about others cost no entry its place');
      t.true(book.fresh > 1_000, String(book.fresh));

      let caught = 0;
      for (let dial = 0; dial < 1_000; dial++) {
        const now = HOUR + dial * 1_000;
        const entry = book.pick(30, now)!;
        if (isAttacker(entry.nodeId)) caught++;
        book.attempted(entry.nodeId, now);
        book.succeeded(entry.nodeId, entry.address, now + 10);
        if (dial % 250 === 0) attack(book, tell, now);
      }
      t.true(caught <= 100, `${caught} of 1,000 dials, seed ${seed}`);
      t.is(left(), 1_000, 'and none that answers is evicted');
    }
  });

  test(`an attacker with bias 100, against honest nodes in few groups, gets no more either, sent from ${name}`, (t) => {
    const book = makeBook();
    for (let i = 0; i < 1_000; i++)
      book.succeeded(idOf(i), `8.${i % 12}.0.${i % 250}:${1_000 + i}`, 0);
    t.true(book.tried > 900, String(book.tried));
    attack(book, tell, MINUTE);
    let caught = 0;
    for (let dial = 0; dial < 1_000; dial++) {
      const entry = book.pick(100, HOUR)!;
      if (isAttacker(entry.nodeId)) caught++;
      book.succeeded(entry.nodeId, entry.address, HOUR);
    }
    t.true(caught <= 100, `${caught} of 1,000 dials`);
  });
}

test('an attacker gets no more if a tenth of the honest nodes are down and it keeps sending other addresses for them', (t) => {
  for (const [name, tell] of Object.entries(tellers)) {
    const book = filledBook(1_000, 200);
    const honest = [...book.entries()].filter((entry) => entry.tried);
    const down = new Set(honest.slice(0, 100).map(({ nodeId }) => nodeId));
    for (const nodeId of down) book.attempted(nodeId, 0);
    const random = seededRandom(3);
    const theirs = new Set(attackers.map(({ address }) => address));
    let caught = 0;
    for (let dial = 0; dial < 1_000; dial++) {
      const now = HOUR + dial * 1_000;
      if (dial % 50 === 0)
        for (const [i, nodeId] of [...down].entries())
          book.add({ nodeId, address: attackers[dial + i]!.address }, tell(i, random), now);
      const { nodeId, address } = book.pick(30, now)!;
      book.attempted(nodeId, now, address);
      if (theirs.has(address)) caught++;
      if (down.has(nodeId)) book.failed(nodeId, address, now);
      else book.succeeded(nodeId, address, now);
    }
    t.true(caught > 0 && caught <= 100, `${caught} of 1,000 dials, sent from ${name}`);
  }
});

test('false addresses of nodes that are all down fill the quota of their source, and half of the dials go to the old addresses', (t) => {
  const book = filledBook(1_000, 0);
  const homes = new Map([...book.entries()].map(({ nodeId, address }) => [nodeId, address]));
  for (const nodeId of homes.keys()) book.attempted(nodeId, 0);
  const kept = [...homes.keys()].filter(
    (nodeId, i) =>
      book.add({ nodeId, address: attackers[i]!.address }, attackers[0]!, MINUTE) === 'alternative',
  );
  t.is(kept.length, 1_000);
  const down = [...homes.keys()];
  t.true(down.filter((nodeId) => book.alternative(nodeId) !== undefined).length <= 32 * 64);
  let elsewhere = 0;
  for (let dial = 0; dial < 1_000; dial++) {
    const { nodeId, address } = book.pick(100, HOUR)!;
    book.attempted(nodeId, HOUR, address);
    book.failed(nodeId, address, HOUR);
    if (address !== homes.get(nodeId)) elsewhere++;
  }
  t.true(elsewhere <= 100, `${elsewhere} of 1,000 dials`);
});

test('10,000 addresses from one source fill the buckets of its quota and no more, even over hours', (t) => {
  const source = node(1, '66.6.1.1:1', 'e');
  for (const entries of [
    attackers,
    Array.from({ length: 10_000 }, (_, i) => node(i, anyAddress(seededRandom(i)), 'e')),
  ]) {
    const book = makeBook();
    // The source reports from all its hosts, but only its group counts.
    for (const [i, entry] of entries.entries()) {
      const host = i % 2 === 0 ? source : node(i, `66.6.${i & 255}.9:${1 + i}`, 'e');
      book.add(entry, host, (6 * HOUR * i) / entries.length);
    }
    const used = book.save(6 * HOUR).buckets.filter((bucket) => bucket.length > 0).length;
    t.true(used <= 32, `${used} buckets`);
    t.true(book.fresh <= 32 * 64, String(book.fresh));
  }
});

test('one source does not crowd out the addresses of others, and its quota of buckets bounds its share of dials', (t) => {
  const book = filledBook(0, 1_000);
  const before = new Set([...book.entries()].map(({ nodeId }) => nodeId));
  for (const entry of attackers) book.add(entry, node(1, '66.6.1.1:1', 'e'), 0);
  const left = [...before].filter((nodeId) => book.get(nodeId) !== undefined).length;
  t.true(left > 850, `${left} of 1,000`);
  const caught =
    Array.from({ length: 2_000 }, () => book.pick(100, 0)!).filter(({ nodeId }) =>
      isAttacker(nodeId),
    ).length / 2_000;
  t.true(caught < 0.16, String(caught));
});

/** Returns a book with one full tried bucket, and another address that belongs in that bucket. */
function crowded(): { book: AddressBook; incumbents: BookAddress[]; newcomer: BookAddress } {
  const book = makeBook();
  const placement = new Placement(
    Uint8Array.from(book.save(0).key.match(/../g)!, (hex) => Number.parseInt(hex, 16)),
  );
  const random = seededRandom(5);
  const fit: BookAddress[] = [];
  for (let i = 0; fit.length < 65; i++) {
    const address = anyAddress(random);
    if (placement.triedRow(placeOf(address)!) === 17) fit.push(node(i, address));
  }
  const incumbents = fit.slice(0, 64);
  for (const [i, { nodeId, address }] of incumbents.entries())
    book.succeeded(nodeId, address, 1_000 + i);
  if (book.tried !== 64) throw new Error(`${book.tried} tried, not 64`);
  return { book, incumbents, newcomer: fit[64]! };
}

test('if the tried bucket is full, a newcomer stays new, and the entry that was silent longest is tested', (t) => {
  const { book, incumbents, newcomer } = crowded();
  t.is(book.toTest(2_000), undefined);
  book.succeeded(newcomer.nodeId, newcomer.address, 2_000);
  t.like(book.get(newcomer.nodeId), { tried: false, lastSuccess: 2_000 });
  t.is(book.tried, 64);
  t.is(book.toTest(2_000)?.nodeId, incumbents[0]!.nodeId);
  t.is(book.toTest(2_000), undefined, 'once');
});

test('an entry that answers its test stays tried, and one that fails it becomes new again', (t) => {
  const { book, incumbents, newcomer } = crowded();
  const [first, second] = incumbents as [BookAddress, BookAddress];
  book.succeeded(newcomer.nodeId, newcomer.address, HOUR);
  book.attempted(first.nodeId, HOUR + 1);
  book.succeeded(first.nodeId, first.address, HOUR + 2);
  t.is(book.toTest(HOUR + 3), undefined, 'it was dialed after its test was scheduled');
  book.succeeded(newcomer.nodeId, newcomer.address, 2 * HOUR);
  t.is(book.get(newcomer.nodeId)?.tried, false);
  t.is(book.toTest(2 * HOUR)?.nodeId, second.nodeId, 'another entry was silent longest by now');

  book.attempted(second.nodeId, 2 * HOUR);
  book.succeeded(newcomer.nodeId, newcomer.address, 2 * HOUR + 59_999);
  t.is(book.get(newcomer.nodeId)?.tried, false, 'its dial may be under way');
  book.succeeded(newcomer.nodeId, newcomer.address, 2 * HOUR + MINUTE);
  t.is(book.get(newcomer.nodeId)?.tried, true);
  t.like(book.get(second.nodeId), { tried: false, failures: 1, lastSuccess: 1_001 });
  t.deepEqual([book.size, book.tried], [65, 64]);
});

test('each bucket has at most one entry waiting for its test, and removed entries do not wait', (t) => {
  const { book, incumbents, newcomer } = crowded();
  book.succeeded(newcomer.nodeId, newcomer.address, 2_000);
  book.remove(incumbents[0]!.nodeId);
  t.is(book.toTest(2_000), undefined);

  const full = makeBook();
  for (let i = 0; i < 12_000; i++)
    full.succeeded(idOf(i), `${1 + (i % 99)}.${i % 250}.${i % 251}.9:${1 + i}`, i);
  let tests = 0;
  while (full.toTest(12_000) !== undefined) tests++;
  t.true(tests > 30 && tests <= 64, String(tests));
});

test('a dial that is cancelled fails no test, and does not remove an alternative', (t) => {
  const { book, incumbents, newcomer } = crowded();
  const { nodeId, address } = incumbents[0]!;
  book.attempted(nodeId, HOUR);
  t.is(book.add({ nodeId, address: '2.2.2.2:2' }, newcomer, HOUR), 'alternative');
  book.cancelled(nodeId, address);
  t.is(book.get(nodeId)?.failures, 0);
  book.succeeded(newcomer.nodeId, newcomer.address, 2 * HOUR);
  t.is(book.get(newcomer.nodeId)?.tried, false);
  book.attempted(nodeId, 2 * HOUR, '2.2.2.2:2');
  book.cancelled(nodeId, '2.2.2.2:2');
  book.attempted(nodeId, 2 * HOUR);
  t.is(book.alternative(nodeId), '2.2.2.2:2');
});
