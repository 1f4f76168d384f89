// Tests of the dials to persistent peers.

import { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import test from 'ava';
import type { DialOrder } from './dial-order.ts';
import {
  addPersistent,
  addressesOf,
  gaps,
  HOUR,
  hang,
  idAt,
  idOf,
  PlannerFixture,
  ran,
  refused,
  reset,
  up,
} from './testing/planner-fixture.ts';

test('a persistent peer is dialed at once, and again within the bounds of the back-off, forever', (t) => {
  const fixture = ran(7 * 24 * HOUR, { persistent: ['a:1'], maxOutbound: 0 });
  t.is(fixture.dialed[0]!.at, 0);
  for (const [i, gap] of gaps(fixture).entries()) {
    const middle = Math.min(120_000, 1_000 * 1.6 ** i);
    if (gap - 20 < 0.8 * middle || gap - 20 > 1.2 * middle) t.fail(`wait ${i + 1}: ${gap}`);
  }
  t.true(fixture.dialed.length > (7 * 24 * HOUR) / 145_000);
  t.deepEqual(fixture.givenUp, []);
});

test('a lost persistent peer is dialed again, also after failed dials; only a link resets the back-off', (t) => {
  const answers = new Set([4, 9]);
  const outcome = (order: DialOrder, count: number) =>
    answers.has(count) ? up(60_000)(order) : { after: 0, error: refused };
  const persistent = [`${idOf(1)}@a:1`];
  const reconnect = { interval: 1_000, max: 120_000, jitter: 0 };
  const fixture = ran(5_000, { persistent, maxOutbound: 0, outcome, reconnect });
  fixture.planner.setPersistent([`${idOf(1)}@a:1`, 'other:1']); // Keeps the peer: resets nothing.
  fixture.run(5 * 60_000);
  const waits = gaps(fixture, 'a:1').map((gap) => (gap > 60_000 ? gap - 60_020 : gap));
  const expected = [1_000, 1_600, 2_560, 1_000, 1_600, 2_560, 4_096, 6_554, 1_000];
  t.deepEqual(waits.slice(0, 9).map(Math.round), expected);
});

test('a peer that accepts and closes at once is not dialed in a hot loop', (t) => {
  for (const options of [
    { persistent: [`${idOf(1)}@a:1`], maxOutbound: 0 },
    { book: [{ nodeId: idOf(1), address: 'a:1' }] },
    { seeds: ['a:1'] },
  ]) {
    const fixture = ran(10 * 60_000, { ...options, outcome: up(5) });
    t.true(fixture.dialed.length < 40, `${fixture.dialed.length} dials`);
    const longest = 'persistent' in options ? 120_000 : 30_000;
    t.true(gaps(fixture).at(-1)! > 0.79 * longest);
    // A seed that closes is not dialed before unknown nodes.
    if ('seeds' in options) t.true(fixture.dialed.every(({ kind }) => kind === 'seed'));
  }
});

test('a persistent peer that dialed this node, or answers at another address, is not dialed', (t) => {
  const fixture = new PlannerFixture({ persistent: [`${idOf(1)}@a:1`], maxOutbound: 0 });
  const { persistent } = fixture.planner;
  t.true(persistent.has(idOf(1), 'elsewhere:1') && persistent.has(undefined, 'a:1'));
  t.false(persistent.has(idOf(2), 'a:1'), 'another node at its address is another peer');
  fixture.comeIn(idOf(1));
  fixture.run(HOUR);
  t.is(fixture.dialed.length, 0);
  fixture.lose(idOf(1), undefined, reset);
  fixture.run(HOUR + 2_000);
  t.deepEqual(addressesOf(fixture), ['a:1']);
});

test('the id of an address is learned from the node that answers, which is not dialed while it is connected', (t) => {
  const fixture = new PlannerFixture({
    persistent: ['a:1'],
    maxOutbound: 0,
    outcome: (order, count) => (count === 1 ? up(50_000)(order) : { after: 0, error: refused }),
  });
  t.false(fixture.planner.persistent.has(idAt('a:1')));
  fixture.run(40_000);
  t.true(fixture.planner.persistent.has(idAt('a:1')));
  t.true(fixture.planner.persistent.has(undefined, 'tcp://A:1'));
  t.false(fixture.planner.persistent.has(idOf(5), 'b:1'));
  t.is(fixture.planner.addressOf(idAt('a:1')), 'a:1');
  fixture.at(50_021, () => fixture.comeIn(idAt('a:1')));
  fixture.run(HOUR);
  t.is(fixture.dialed.length, 1);
});

test('an end without a report is noticed', (t) => {
  const persistent = [`${idOf(1)}@a:1`];
  const fixture = ran(60_000, { persistent, maxOutbound: 0, outcome: up(HOUR) });
  fixture.isConnected = () => false;
  fixture.ask();
  fixture.run(62_000);
  t.is(fixture.dialed.length, 2);
});

test('after the topology is replaced, removed peers are not dialed, added ones are dialed at once, and moved ones at the new address', (t) => {
  const fixture = ran(60_000, { persistent: ['a:1', `${idOf(1)}@b:1`], maxOutbound: 0 });
  fixture.planner.setPersistent([`${idOf(1)}@b:2`, 'c:1']);
  t.true(fixture.planner.wakeAt <= 60_000);
  const before = fixture.dialed.length;
  fixture.run(60_001);
  const dialed = fixture.dialed.slice(before).map(({ address, at }) => `${address} at ${at}`);
  t.deepEqual(dialed, ['b:2 at 60000', 'c:1 at 60000']);
  fixture.run(HOUR);
  const later = new Set(addressesOf(fixture).slice(before));
  t.deepEqual([...later].sort(), ['b:2', 'c:1']);
  t.deepEqual(fixture.planner.persistent.texts, [`${idOf(1)}@b:2`, 'c:1']);
  t.throws(() => fixture.planner.setPersistent(['d:1', 'me@x']), { instanceOf: TransportError });
  t.deepEqual(fixture.planner.persistent.texts, [`${idOf(1)}@b:2`, 'c:1']);
});

test('persistent peers are added, and removed by id, by learned id, by address or by both', (t) => {
  const fixture = new PlannerFixture({ persistent: [], maxOutbound: 0, outcome: up(HOUR) });
  const [one, two] = [`${idOf(1)}@a:1`, `${idOf(2)}@b:1`];
  for (const target of [one, two, 'c:1', 'd:1', 'c:1']) addPersistent(fixture, target);
  t.deepEqual(fixture.planner.persistent.texts, [one, two, 'c:1', 'd:1']);
  const to = `${idOf(2)}@b:2`;
  t.deepEqual(addPersistent(fixture, to).changed, [{ from: two, to }]);
  t.deepEqual(fixture.planner.removePersistent(idOf(1)), [one]);
  t.deepEqual(fixture.planner.removePersistent(`${idOf(2)}@elsewhere:1`), []);
  t.deepEqual(fixture.planner.removePersistent('tcp://B:2'), [to]);
  fixture.run(100);
  t.deepEqual(fixture.planner.removePersistent(idAt('c:1')), ['c:1']);
  t.deepEqual(fixture.planner.removePersistent('nobody:1'), []);
  t.deepEqual(fixture.planner.persistent.texts, ['d:1']);
  t.throws(() => fixture.planner.removePersistent(''), { instanceOf: TransportError });
});

test('a node does not dial itself twice until the address is no longer its own', (t) => {
  const self = reasonError('self', 'it is us');
  const fixture = new PlannerFixture({
    persistent: ['me:1'],
    seeds: ['me:2'],
    book: [{ nodeId: idOf(1), address: 'me:3' }],
    own: ['me:4'],
    outcome: () => ({ after: 20, error: self }),
  });
  fixture.book.push({ nodeId: idOf(2), address: 'me:4' });
  fixture.run(HOUR);
  t.deepEqual(addressesOf(fixture), ['me:1', 'me:3', 'me:2']);
  t.deepEqual(fixture.givenUp, []);
  fixture.own.delete('me:1');
  fixture.own.delete('me:3');
  fixture.planner.setPersistent(['me:1', 'tcp://me:3']);
  fixture.run(2 * HOUR);
  t.deepEqual(addressesOf(fixture).slice(3), ['me:1', 'tcp://me:3']);
});

test('reports about unknown or finished dials change nothing', (t) => {
  const fixture = ran(10, { persistent: ['a:1'], maxOutbound: 0, outcome: hang });
  const [order] = fixture.underWay;
  const stranger = { address: 'b:1', nodeId: idOf(1), kind: 'book' } as const;
  const fail = (failed: DialOrder, error = refused) =>
    t.false(fixture.planner.failed(failed, error, 10));
  for (let i = 0; i < 20; i++) fail(stranger);
  fixture.planner.opened(stranger, idOf(1), 10);
  fail(stranger, reasonError('self', 'it was us'));
  fail({ ...order! }); // The order is identified by its address.
  const due = () => {
    t.deepEqual(fixture.planner.plan(10), []);
    return fixture.planner.wakeAt;
  };
  const first = due();
  t.true(first > 800 && first < 1_220);
  fail(order!);
  t.is(due(), first);
});
