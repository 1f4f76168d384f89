// Tests of the dial planner.

import { type Reason, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import test from 'ava';
import type { DialOrder } from './dial-order.ts';
import { idOf, plan, refused, reset, someone, World } from './testing/planner-world.ts';

const HOUR = 3_600_000;
const someones = (count: number, first = 1) =>
  Array.from({ length: count }, (_, i) => someone(first + i));
const up =
  (lives: number, end: TransportError = reset) =>
  (order: DialOrder) => ({ after: 20, nodeId: order.nodeId ?? idOf(9_999), lives, end });
const gaps = (world: World, address = world.dialed[0]!.address) => {
  const times = world.dialed.filter((order) => order.address === address).map(({ at }) => at);
  return times.slice(1).map((at, i) => at - times[i]!);
};
const kinds = (world: World) => world.dialed.map(({ kind }) => kind);

test('a persistent peer is dialed at once, and again within the bounds of the back-off', (t) => {
  const world = new World({ persistent: ['a:1'], maxOutbound: 0 });
  world.run(HOUR);
  t.is(world.dialed[0]!.at, 0);
  for (const [i, gap] of gaps(world).entries()) {
    const middle = Math.min(120_000, 1_000 * 1.6 ** i);
    t.true(gap - 20 >= 0.8 * middle && gap - 20 <= 1.2 * middle, `wait ${i + 1}: ${gap}`);
  }
});

test('a persistent peer is dialed forever', (t) => {
  const world = new World({ persistent: ['a:1'], maxOutbound: 0 });
  world.run(7 * 24 * HOUR);
  t.true(world.dialed.length > (7 * 24 * HOUR) / 145_000);
  t.true(Math.max(...gaps(world)) <= 144_020);
  t.deepEqual(world.givenUp, []);
});

test('a fixed interval does not grow', (t) => {
  const world = new World({
    persistent: ['a:1'],
    maxOutbound: 0,
    reconnect: { interval: 60_000, max: 60_000, jitter: 0 },
  });
  world.run(HOUR);
  t.deepEqual([...new Set(gaps(world))], [60_020]);
});

test('a lost persistent peer is dialed again, also after failed dials; only a link resets the back-off', (t) => {
  const answers = new Set([4, 9]);
  const outcome = (order: DialOrder, count: number) =>
    answers.has(count) ? up(60_000)(order) : { after: 0, error: refused };
  const world = new World({
    persistent: [`${idOf(1)}@a:1`],
    maxOutbound: 0,
    outcome,
    reconnect: { interval: 1_000, max: 120_000, jitter: 0 },
  });
  world.run(5_000);
  world.planner.setPersistent([`${idOf(1)}@a:1`, 'other:1']); // Keeps the peer: resets nothing.
  world.run(5 * 60_000);
  const waits = gaps(world, 'a:1').map((gap) => (gap > 60_000 ? gap - 60_020 : gap));
  t.deepEqual(
    waits.slice(0, 9).map((wait) => Math.round(wait)),
    [1_000, 1_600, 2_560, 1_000, 1_600, 2_560, 4_096, 6_554, 1_000],
  );
});

test('a peer that accepts and closes at once is not dialed in a hot loop', (t) => {
  for (const options of [
    { persistent: [`${idOf(1)}@a:1`], maxOutbound: 0 },
    { book: [{ nodeId: idOf(1), address: 'a:1' }] },
    { seeds: ['a:1'] },
  ]) {
    const world = new World({ ...options, outcome: up(5) });
    world.run(10 * 60_000);
    t.true(world.dialed.length < 40, `${world.dialed.length} dials`);
    const longest = 'persistent' in options ? 120_000 : 30_000;
    t.true(gaps(world).at(-1)! > 0.79 * longest);
    if ('seeds' in options)
      t.true(
        kinds(world).every((kind) => kind === 'seed'),
        'a seed that closes is not dialed before unknown nodes',
      );
  }
});

test('a persistent peer that dialed this node, or answers at another address, is not dialed', (t) => {
  const world = new World({ persistent: [`${idOf(1)}@a:1`], maxOutbound: 0 });
  world.comeIn(idOf(1));
  world.run(HOUR);
  t.is(world.dialed.length, 0);
  world.lose(idOf(1), undefined, reset);
  world.run(HOUR + 2_000);
  t.deepEqual(
    world.dialed.map(({ address }) => address),
    ['a:1'],
  );
});

test('the id of an address is learned from the node that answers, which is not dialed while it is connected', (t) => {
  const world = new World({
    persistent: ['a:1'],
    maxOutbound: 0,
    outcome: (order, count) => (count === 1 ? up(50_000)(order) : { after: 0, error: refused }),
  });
  t.false(world.planner.named.isPersistent(idOf(9_999)));
  world.run(40_000);
  t.true(world.planner.named.isPersistent(idOf(9_999)));
  t.true(world.planner.named.isPersistent(undefined, 'tcp://A:1'));
  t.false(world.planner.named.isPersistent(idOf(5), 'b:1'));
  t.is(world.planner.named.addressOf(idOf(9_999)), 'a:1');
  world.at(50_021, () => world.comeIn(idOf(9_999)));
  world.run(HOUR);
  t.is(world.dialed.length, 1);
});

test('an end without a report is noticed', (t) => {
  const world = new World({ persistent: [`${idOf(1)}@a:1`], maxOutbound: 0, outcome: up(HOUR) });
  world.run(60_000);
  world.isConnected = () => false;
  world.ask();
  world.run(62_000);
  t.is(world.dialed.length, 2);
});

test('if an id is given, another node at that address is not the persistent peer', (t) => {
  const { planner } = new World({ persistent: [`${idOf(1)}@a:1`] });
  t.true(planner.named.isPersistent(idOf(1), 'elsewhere:1'));
  t.true(planner.named.isPersistent(undefined, 'a:1'));
  t.false(planner.named.isPersistent(idOf(2), 'a:1'));
});

test('after the topology is replaced, removed peers are not dialed, added ones are dialed at once, and moved ones at the new address', (t) => {
  const world = new World({ persistent: ['a:1', `${idOf(1)}@b:1`], maxOutbound: 0 });
  world.run(60_000);
  const diff = world.planner.setPersistent([`${idOf(1)}@b:2`, 'c:1']);
  t.deepEqual(diff, {
    removed: ['a:1', `${idOf(1)}@b:1`],
    added: [`${idOf(1)}@b:2`, 'c:1'],
    changed: [{ from: `${idOf(1)}@b:1`, to: `${idOf(1)}@b:2` }],
    kept: [],
  });
  t.true(world.planner.wakeAt <= 60_000);
  const before = world.dialed.length;
  world.run(60_001);
  t.deepEqual(
    world.dialed.slice(before).map(({ address, at }) => [address, at]),
    [
      ['b:2', 60_000],
      ['c:1', 60_000],
    ],
  );
  world.run(HOUR);
  t.deepEqual([...new Set(world.dialed.slice(before).map(({ address }) => address))].sort(), [
    'b:2',
    'c:1',
  ]);
  t.deepEqual(world.planner.persistent, [`${idOf(1)}@b:2`, 'c:1']);
  t.throws(() => world.planner.setPersistent(['d:1', 'me@x']), { instanceOf: TransportError });
  t.deepEqual(world.planner.persistent, [`${idOf(1)}@b:2`, 'c:1']);
});

test('persistent peers are added, and removed by id, by learned id, by address or by both', (t) => {
  const world = new World({ persistent: [], maxOutbound: 0, outcome: up(HOUR) });
  const [one, two] = [`${idOf(1)}@a:1`, `${idOf(2)}@b:1`];
  for (const target of [one, two, 'c:1', 'd:1', 'c:1']) world.planner.addPersistent(target);
  t.deepEqual(world.planner.persistent, [one, two, 'c:1', 'd:1']);
  t.deepEqual(world.planner.addPersistent(`${idOf(2)}@b:2`).changed, [
    { from: two, to: `${idOf(2)}@b:2` },
  ]);
  t.deepEqual(world.planner.removePersistent(idOf(1)), [one]);
  t.deepEqual(world.planner.removePersistent(`${idOf(2)}@elsewhere:1`), []);
  t.deepEqual(world.planner.removePersistent('tcp://B:2'), [`${idOf(2)}@b:2`]);
  world.run(100);
  t.deepEqual(world.planner.removePersistent(idOf(9_999)), ['c:1']);
  t.deepEqual(world.planner.removePersistent('nobody:1'), []);
  t.deepEqual(world.planner.persistent, ['d:1']);
  t.throws(() => world.planner.removePersistent(''), { instanceOf: TransportError });
});

test('a node does not dial itself twice until the topology is replaced', (t) => {
  const self = reasonError('self', 'it is us');
  const world = new World({
    persistent: ['me:1'],
    seeds: ['me:2'],
    book: [{ nodeId: idOf(1), address: 'me:3' }],
    own: ['me:4'],
    outcome: () => ({ after: 20, error: self }),
  });
  world.book.push({ nodeId: idOf(2), address: 'me:4' });
  world.run(HOUR);
  t.deepEqual(
    world.dialed.map(({ address }) => address),
    ['me:1', 'me:3', 'me:2'],
  );
  t.deepEqual(world.givenUp, []);
  world.planner.setPersistent(['me:1', 'tcp://me:3']);
  world.run(2 * HOUR);
  t.deepEqual(
    world.dialed.slice(3).map(({ address }) => address),
    ['me:1', 'tcp://me:3'],
  );
});

test('slots are filled from the book and not beyond; persistent peers take none', (t) => {
  const world = new World({
    persistent: ['a:1', 'b:1', 'c:1'],
    book: someones(50),
    maxOutbound: 10,
    outcome: (order) => ({ ...up(HOUR)(order), nodeId: order.nodeId ?? order.address }),
  });
  world.run(60_000);
  t.deepEqual(kinds(world).filter((kind) => kind === 'book').length, 10);
  t.deepEqual(kinds(world).slice(0, 3), ['persistent', 'persistent', 'persistent']);
  t.is(world.outbound, 10);
});

test('an address of the book that fails is left alone for at most half a minute, and others are tried', (t) => {
  const world = new World({ book: someones(1), maxOutbound: 1 });
  world.run(60_000);
  world.book.push(someone(2));
  world.ask();
  world.run(10 * 60_000);
  t.true(gaps(world, someone(1).address).every((gap) => gap <= 36_020));
  t.true(world.dialed.some(({ address }) => address === someone(2).address));
});

test('after sixteen failures an address of the book is given up, but a seed never is, even if it is in the book', (t) => {
  const seed = someone(7);
  const world = new World({ book: [someone(1), seed], seeds: [`${seed.nodeId}@${seed.address}`] });
  world.run(HOUR);
  t.deepEqual(world.givenUp, [someone(1).address]);
  t.is(world.dialed.filter(({ address }) => address === someone(1).address).length, 16);
  t.true(gaps(world, seed.address).length > 90);
});

test('if retrying soon cannot help, an address of the book waits four times as long', (t) => {
  for (const reason of [
    'identity_mismatch',
    'duplicate',
    'full',
    'denied',
    'wrong_network',
  ] as Reason[]) {
    const outcome = () => ({ after: 0, error: reasonError(reason, reason) });
    const world = new World({
      book: someones(1),
      persistent: ['a:1'],
      outcome,
      reconnect: { interval: 1_000, max: 120_000, jitter: 0 },
    });
    world.run(60_000);
    t.deepEqual(
      gaps(world, someone(1).address).slice(0, 3).map(Math.round),
      [4_000, 6_400, 10_240],
      reason,
    );
    t.deepEqual(gaps(world, 'a:1').slice(0, 3).map(Math.round), [1_000, 1_600, 2_560], reason);
  }
});

test('an ordinary peer that was lost by accident is dialed again before unknown nodes, three times', (t) => {
  const transient = [
    reset,
    reasonError('ping_timeout', ''),
    reasonError('dial_timeout', ''),
    reasonError('handshake_timeout', ''),
    reasonError('closed', ''),
    new TransportError('unavailable', ''),
  ];
  for (const end of transient) {
    const world = new World({
      book: [someone(1)],
      maxOutbound: 1,
      outcome: (order, count) =>
        order.address === someone(1).address && count === 1
          ? up(20_000, end)(order)
          : { after: 20, error: refused },
    });
    world.run(19_000);
    world.book.splice(0, 1, ...someones(2_000, 10)); // Forgets the peer, adds many others.
    world.run(60_000);
    t.is(
      world.dialed.filter(({ kind, address }) => kind === 'again' && address === someone(1).address)
        .length,
      3,
      end.reason,
    );
    t.true(kinds(world).includes('book'));
  }
});

test('an ordinary peer that was lost for another reason is not preferred', (t) => {
  for (const reason of [
    'malformed',
    'denied',
    'refused',
    'duplicate',
    'disconnected',
    'full',
    'flood',
    'idle',
  ] as Reason[]) {
    const world = new World({
      book: [someone(1)],
      maxOutbound: 1,
      outcome: up(20_000, reasonError(reason, '')),
    });
    world.run(20_010);
    world.book.length = 0;
    world.run(HOUR);
    t.is(world.dialed.length, 1, reason);
  }
});

test('a peer that was dialed again and then lost for another reason is left to the book', (t) => {
  const end = (count: number) => (count === 1 ? reset : reasonError('denied', ''));
  const world = new World({
    book: [someone(1)],
    maxOutbound: 1,
    outcome: (order, count) => up(20_000, end(count))(order),
  });
  world.run(19_000);
  world.book.length = 0;
  world.run(HOUR);
  t.deepEqual(kinds(world), ['book', 'again']);
});

test('a lost peer is not dialed if it had dialed this node or is no longer persistent', (t) => {
  const world = new World({ outcome: up(HOUR) });
  world.comeIn(idOf(1));
  world.lose(idOf(1), undefined, reset);
  world.planner.handle(world.now, {
    type: 'lost',
    peer: { nodeId: idOf(2), address: 'a:1', persistent: true },
    error: reset,
  });
  world.run(HOUR);
  t.is(world.dialed.length, 0);
});

test('connected, banned and persistent peers are not picked from the book', (t) => {
  const world = new World({
    book: someones(4),
    persistent: [`${idOf(3)}@p:1`, someone(4).address],
    outcome: up(HOUR),
  });
  world.banned.add(idOf(1));
  world.comeIn(idOf(2));
  world.run(60_000);
  t.true(kinds(world).every((kind) => kind === 'persistent'));
});

test('if the book is empty a seed is asked at once, two at a time; otherwise none is', (t) => {
  const seeds = Array.from({ length: 6 }, (_, i) => `s${i}:1`);
  const empty = new World({ seeds, outcome: () => ({ after: 5_000, error: refused }) });
  empty.run(0);
  t.deepEqual(kinds(empty), ['seed', 'seed']);
  empty.run(HOUR);
  t.is(new Set(empty.dialed.map(({ address }) => address)).size, 6);
  t.true(gaps(empty, 's0:1').every((gap) => gap <= 60_000));
  const first = (seed: number) => {
    const world = new World({ seeds, seed });
    world.run(0);
    return world.dialed[0]!.address;
  };
  t.true(new Set(Array.from({ length: 60 }, (_, i) => first(i))).size === 6, 'in no fixed order');
  const full = new World({ seeds, book: someones(20), maxOutbound: 10, outcome: up(HOUR) });
  full.run(HOUR / 2);
  t.false(kinds(full).includes('seed'));
});

test('addresses from a seed are dialed at once', (t) => {
  const world = new World({
    seeds: ['s:1'],
    outcome: (order) =>
      order.kind === 'seed' ? up(300, reasonError('closed', ''))(order) : up(HOUR)(order),
  });
  world.at(200, () => {
    world.book.push(...someones(10));
    world.ask();
  });
  world.run(1_000);
  t.is(world.outbound, 10);
});

test('if all seeds are down, they are dialed again with back-off, and dials from the book continue', (t) => {
  const world = new World({
    seeds: ['s:1', 't:1'],
    book: someones(3),
    maxOutbound: 5,
    outcome: (order) =>
      order.kind === 'seed' ? { after: 3_000, error: refused } : up(HOUR)(order),
  });
  world.run(HOUR / 2);
  t.is(world.outbound, 3);
  const seeds = world.dialed.filter(({ kind }) => kind === 'seed');
  t.true(seeds.length > 60 && seeds.length < 200, `${seeds.length} dials to seeds`);
  world.book.push(...someones(2, 50));
  world.ask();
  world.run(HOUR / 2 + 100);
  t.is(world.outbound, 5);
});

test('a connected seed is not dialed', (t) => {
  const world = new World({
    seeds: ['s:1'],
    outcome: (order) => ({ ...up(HOUR)(order), nodeId: order.address }),
  });
  world.run(HOUR / 2);
  t.is(world.dialed.length, 1);
});

test('one entry that is not connected is tested every ten seconds, even if all slots are taken', (t) => {
  const tests = [...someones(5, 100), someone(1), ...someones(100, 200)];
  const world = new World({
    book: someones(2),
    maxOutbound: 2,
    tests,
    outcome: (order) =>
      order.kind === 'test' ? { after: 12_000, error: refused } : up(HOUR)(order),
  });
  world.run(HOUR / 6);
  const tested = world.dialed.filter(({ kind }) => kind === 'test');
  t.is(tested.length, 5, 'someone(1) is connected');
  for (let i = 1; i < tested.length; i++) t.true(tested[i]!.at - tested[i - 1]!.at >= 12_000);
});

test('the book is asked for an entry to test every ten seconds, even if nothing else happens', (t) => {
  const world = new World({ maxOutbound: 0 });
  let asked = 0;
  world.toTest = () => void asked++ as undefined;
  world.run(100_000);
  t.is(asked, 10);
});

test('reports about unknown or finished dials change nothing', (t) => {
  const world = new World({
    persistent: ['a:1'],
    maxOutbound: 0,
    outcome: () => ({ after: 1e9, error: refused }),
  });
  world.run(10);
  const [order] = world.underWay;
  const stranger = { address: 'b:1', nodeId: idOf(1), kind: 'book' } as const;
  const fail = (failed: DialOrder, error = refused) =>
    world.planner.handle(10, { type: 'failed', order: failed, error });
  for (let i = 0; i < 20; i++) fail(stranger);
  world.planner.handle(10, { type: 'opened', order: stranger, nodeId: idOf(1) });
  fail(stranger, reasonError('self', 'it was us'));
  t.is(world.planner.poll(), undefined);
  fail({ ...order! }); // The order is identified by its address.
  const due = () => {
    t.deepEqual(plan(world.planner, 10), []);
    return world.planner.wakeAt;
  };
  const first = due();
  t.true(first > 800 && first < 1_220);
  fail(order!);
  t.is(due(), first);
});
