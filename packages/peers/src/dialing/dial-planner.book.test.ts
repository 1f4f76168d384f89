// Tests of the dials to nodes that are not persistent: those of the book, lost peers, and seeds.

import { type ErrorReason, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import test from 'ava';
import type { DialOrder } from './dial-order.ts';
import {
  dialsOf,
  gaps,
  HOUR,
  idOf,
  PlannerFixture,
  ran,
  refused,
  reset,
  someone,
  someones,
  up,
} from './testing/planner-fixture.ts';

const kinds = (fixture: PlannerFixture) => fixture.dialed.map(({ kind }) => kind);

test('slots are filled from the book and not beyond; persistent peers take none', (t) => {
  const persistent = ['a:1', 'b:1', 'c:1'];
  const [book, outcome] = [someones(50), up(HOUR)];
  const fixture = ran(60_000, { persistent, book, maxOutbound: 10, outcome });
  t.is(dialsOf(fixture, 'book').length, 10);
  t.deepEqual(kinds(fixture).slice(0, 3), ['persistent', 'persistent', 'persistent']);
  t.is(fixture.outbound, 10);
});

test('an address of the book that fails is left alone for at most half a minute, and others are tried', (t) => {
  const fixture = ran(60_000, { book: someones(1), maxOutbound: 1 });
  fixture.book.push(someone(2));
  fixture.ask();
  fixture.run(10 * 60_000);
  t.true(gaps(fixture, someone(1).address).every((gap) => gap <= 36_020));
  t.true(fixture.dialed.some(({ address }) => address === someone(2).address));
});

test('after sixteen failures an address of the book is given up, but a seed never is, even if it is in the book', (t) => {
  const seed = someone(7);
  const seeds = [`${seed.nodeId}@${seed.address}`];
  const fixture = ran(HOUR, { book: [someone(1), seed], seeds });
  t.deepEqual(fixture.givenUp, [someone(1).address]);
  t.is(fixture.dialed.filter(({ address }) => address === someone(1).address).length, 16);
  t.true(gaps(fixture, seed.address).length > 90);
});

test('if retrying soon cannot help, an address of the book waits four times as long', (t) => {
  const reasons = `identity_mismatch duplicate full denied wrong_network version_mismatch channel_mismatch
    no_shared_protocol`;
  const reconnect = { interval: 1_000, max: 120_000, jitter: 0 };
  for (const reason of reasons.split(/\s+/) as ErrorReason[]) {
    const outcome = () => ({ after: 0, error: reasonError(reason, reason) });
    const fixture = ran(60_000, { book: someones(1), persistent: ['a:1'], outcome, reconnect });
    const first = (address: string) => gaps(fixture, address).slice(0, 3).map(Math.round);
    t.deepEqual(first(someone(1).address), [4_000, 6_400, 10_240], reason);
    t.deepEqual(first('a:1'), [1_000, 1_600, 2_560], reason);
  }
});

/** The first dial of someone(1) succeeds, for 20 s, and no other dial does. */
const upOnce = (end: TransportError) => (order: DialOrder, count: number) =>
  order.address === someone(1).address && count === 1
    ? up(20_000, end)(order)
    : { after: 20, error: refused };

test('an ordinary peer that was lost by accident is dialed again before unknown nodes, three times', (t) => {
  const reasons = ['reset', 'ping_timeout', 'dial_timeout', 'handshake_timeout', 'closed'] as const;
  const ends = reasons.map((reason) => reasonError(reason, ''));
  for (const end of [...ends, new TransportError('unavailable', '')]) {
    const fixture = ran(19_000, { book: someones(1), maxOutbound: 1, outcome: upOnce(end) });
    fixture.book.splice(0, 1, ...someones(2_000, 10)); // Forgets the peer, adds many others.
    fixture.run(60_000);
    const again = dialsOf(fixture, 'again').filter(({ nodeId }) => nodeId === idOf(1));
    t.is(again.length, 3, end.reason);
    t.true(kinds(fixture).includes('book'));
  }
});

test('the three tries of a lost peer count for its old address and for the one from others together', (t) => {
  const lost = someone(1);
  class Moved extends PlannerFixture {
    whereabouts(nodeId: string): string | undefined {
      return nodeId === lost.nodeId ? 'other:1' : undefined;
    }
  }
  const fixture = new Moved({ book: [lost], maxOutbound: 1, outcome: upOnce(reset) });
  fixture.run(19_000);
  fixture.book.splice(0, 1, ...someones(2_000, 10));
  fixture.run(60_000);
  const again = dialsOf(fixture, 'again');
  t.is(again.length, 3);
  t.deepEqual([...new Set(again.map(({ address }) => address))], ['other:1', lost.address]);
});

test('an ordinary peer that was lost for another reason is not preferred', (t) => {
  const reasons = 'malformed denied refused duplicate disconnected full flood idle';
  for (const reason of reasons.split(/\s+/) as ErrorReason[]) {
    const outcome = up(20_000, reasonError(reason, ''));
    const fixture = ran(20_010, { book: someones(1), maxOutbound: 1, outcome });
    fixture.book.length = 0;
    fixture.run(HOUR);
    t.is(fixture.dialed.length, 1, reason);
  }
});

test('a peer that was dialed again and then lost for another reason is left to the book', (t) => {
  const outcome = (order: DialOrder, count: number) =>
    up(20_000, count === 1 ? reset : reasonError('denied', ''))(order);
  const fixture = ran(19_000, { book: someones(1), maxOutbound: 1, outcome });
  fixture.book.length = 0;
  fixture.run(HOUR);
  t.deepEqual(kinds(fixture), ['book', 'again']);
});

test('a seed that was lost by accident is dialed as a seed', (t) => {
  const fixture = ran(HOUR, { seeds: ['s:1'], maxOutbound: 1, outcome: up(20_000) });
  t.deepEqual([...new Set(kinds(fixture))], ['seed']);
});

test('a lost peer is not dialed if it had dialed this node or is no longer persistent', (t) => {
  const fixture = new PlannerFixture({ outcome: up(HOUR) });
  fixture.comeIn(idOf(1));
  fixture.lose(idOf(1), undefined, reset);
  const persistent = { nodeId: idOf(2), address: 'a:1', persistent: true };
  fixture.planner.lost(persistent, reset, fixture.now);
  fixture.run(HOUR);
  t.is(fixture.dialed.length, 0);
});

test('connected, banned and persistent peers are not picked from the book', (t) => {
  const fixture = new PlannerFixture({
    book: someones(4),
    persistent: [`${idOf(3)}@p:1`, someone(4).address],
    outcome: up(HOUR),
  });
  fixture.banned.add(idOf(1));
  fixture.comeIn(idOf(2));
  fixture.run(60_000);
  t.true(kinds(fixture).every((kind) => kind === 'persistent'));
});

test('if the book is empty a seed is asked at once, two at a time; otherwise none is', (t) => {
  const seeds = Array.from({ length: 6 }, (_, i) => `s${i}:1`);
  const empty = ran(0, { seeds, outcome: () => ({ after: 5_000, error: refused }) });
  t.deepEqual(kinds(empty), ['seed', 'seed']);
  empty.run(HOUR);
  t.is(new Set(empty.dialed.map(({ address }) => address)).size, 6);
  t.true(gaps(empty, 's0:1').every((gap) => gap <= 60_000));
  const first = (seed: number) => ran(0, { seeds, seed }).dialed[0]!.address;
  const firsts = Array.from({ length: 60 }, (_, seed) => first(seed));
  t.is(new Set(firsts).size, 6, 'in no fixed order');
  const full = ran(HOUR / 2, { seeds, book: someones(20), maxOutbound: 10, outcome: up(HOUR) });
  t.false(kinds(full).includes('seed'));
});

test('addresses from a seed are dialed at once', (t) => {
  const fixture = new PlannerFixture({
    seeds: ['s:1'],
    outcome: (order) =>
      order.kind === 'seed' ? up(300, reasonError('closed', ''))(order) : up(HOUR)(order),
  });
  fixture.at(200, () => {
    fixture.book.push(...someones(10));
    fixture.ask();
  });
  fixture.run(1_000);
  t.is(fixture.outbound, 10);
});

test('if all seeds are down, they are dialed again with back-off, and dials from the book continue', (t) => {
  const fixture = ran(HOUR / 2, {
    seeds: ['s:1', 't:1'],
    book: someones(3),
    maxOutbound: 5,
    outcome: (order) =>
      order.kind === 'seed' ? { after: 3_000, error: refused } : up(HOUR)(order),
  });
  t.is(fixture.outbound, 3);
  const seeds = dialsOf(fixture, 'seed');
  t.true(seeds.length > 60 && seeds.length < 200, `${seeds.length} dials to seeds`);
  fixture.book.push(...someones(2, 50));
  fixture.ask();
  fixture.run(HOUR / 2 + 100);
  t.is(fixture.outbound, 5);
});

test('a connected seed is not dialed', (t) => {
  t.is(ran(HOUR / 2, { seeds: ['s:1'], outcome: up(HOUR) }).dialed.length, 1);
});

test('one entry that is not connected is tested every ten seconds, even if all slots are taken', (t) => {
  const tests = [...someones(5, 100), someone(1), ...someones(100, 200)];
  const fixture = ran(HOUR / 6, {
    book: someones(2),
    maxOutbound: 2,
    tests,
    outcome: (order) =>
      order.kind === 'test' ? { after: 12_000, error: refused } : up(HOUR)(order),
  });
  const tested = dialsOf(fixture, 'test');
  t.is(tested.length, 5, 'someone(1) is connected');
  for (let i = 1; i < tested.length; i++) t.true(tested[i]!.at - tested[i - 1]!.at >= 12_000);
  const idle = new PlannerFixture({ maxOutbound: 0 });
  let asked = 0;
  idle.toTest = () => void asked++ as undefined;
  idle.run(100_000);
  t.is(asked, 10, 'even if nothing else happens');
});
