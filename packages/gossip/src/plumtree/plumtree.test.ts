// Tests of a single Plumtree machine: pushes, notices, grafts, prunes, and the cache.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { plumtreeOptions } from './options.ts';
import type { Plumtree } from './plumtree.ts';
import { Network } from './testing/network.ts';
import { graftOf, idOf, ihaveOf, pushOf, singleMachine } from './testing/single-machine.ts';

const PRUNE = { kind: 'prune' } as const;
/** Returns the peers of the tree. */
const eagerOf = (machine: Plumtree<string>) =>
  machine.snapshot().neighbors.flatMap(({ id, eager }) => (eager ? id : []));

test('a new message is pushed to the tree, announced to the others, and delivered with its path', (t) => {
  const { machine, feed, sent, delivered } = singleMachine(['a', 'b', 'c'], { lazy: ['c'] });
  feed(10, { type: 'received', from: 'a', message: pushOf(1, { hops: 3 }) });
  t.deepEqual(sent(), ['b push x1']);
  t.deepEqual(delivered, ['x1 text from a in 3']);
  t.is(machine.wakeAt, 15);
  feed(14, { type: 'wake' });
  t.deepEqual(sent(), []);
  feed(15, { type: 'wake' });
  t.deepEqual(sent(), ['c ihave x1']);
});

test('notices of one moment are combined into messages of bounded size', (t) => {
  const { machine, feed, sent } = singleMachine(['a', 'b'], { lazy: ['b'], idsEach: 5 });
  for (let sequence = 0; sequence < 12; sequence++)
    feed(sequence / 10, { type: 'received', from: 'a', message: pushOf(sequence) });
  feed(5, { type: 'wake' });
  t.deepEqual(sent(), ['b ihave x0 x1 x2 x3 x4', 'b ihave x5 x6 x7 x8 x9', 'b ihave x10 x11']);
  t.is(machine.counters.noticesSent, 12);
});

test('a duplicate prunes the link that it came over', (t) => {
  const { feed, sent, delivered } = singleMachine(['a', 'b']);
  feed(0, { type: 'received', from: 'a', message: pushOf(1) });
  feed(1, { type: 'received', from: 'b', message: pushOf(1) });
  t.deepEqual(sent(), ['b push x1', 'b prune']);
  t.is(delivered.length, 1);
  feed(2, { type: 'received', from: 'a', message: pushOf(2) });
  feed(10, { type: 'wake' });
  t.deepEqual(sent(), ['b ihave x2']);
  // A message that was in flight doesn't cause another prune.
  feed(11, { type: 'received', from: 'b', message: pushOf(2) });
  t.deepEqual(sent(), []);
  // But a peer that keeps pushing is pruned again.
  feed(600, { type: 'received', from: 'a', message: pushOf(3) });
  feed(601, { type: 'received', from: 'b', message: pushOf(3) });
  t.deepEqual(sent(), ['b prune']);
});

test('several messages in transit at once do not prune both links', (t) => {
  const { machine, feed, sent } = singleMachine(['a', 'b']);
  feed(0, { type: 'received', from: 'a', message: pushOf(1) });
  feed(1, { type: 'received', from: 'b', message: pushOf(1) });
  feed(2, { type: 'received', from: 'b', message: pushOf(2) });
  feed(3, { type: 'received', from: 'a', message: pushOf(2) });
  t.deepEqual(sent(), ['b push x1', 'b prune', 'a push x2']);
  t.deepEqual(eagerOf(machine), ['a']);
});

test('a link that repeats its own message is not a second path', (t) => {
  const { machine, feed, sent } = singleMachine(['a']);
  feed(0, { type: 'received', from: 'a', message: pushOf(1) });
  feed(1, { type: 'received', from: 'a', message: pushOf(1) });
  t.deepEqual(sent(), []);
  t.is(machine.counters.duplicates, 1);
});

test('an announced message is requested after 80 ms, then from each next peer after 40 ms, then all over again', (t) => {
  const lazy = ['a', 'b', 'c'];
  const { machine, feed, sent, delivered } = singleMachine(lazy, { lazy });
  feed(100, { type: 'received', from: 'b', message: ihaveOf([7], 4) });
  feed(110, { type: 'received', from: 'c', message: ihaveOf([7], 2) });
  const asked: string[] = [];
  for (let now = machine.wakeAt; now < 1_400; now = machine.wakeAt) {
    feed(now, { type: 'wake' });
    asked.push(...sent().map((line) => `${now} ${line}`));
  }
  t.deepEqual(asked, ['180 b graft x7', '220 c graft x7', '1220 b graft x7', '1260 c graft x7']);
  feed(1_500, { type: 'received', from: 'c', message: pushOf(7, { hops: 2 }) });
  t.is(delivered.length, 1);
  t.is(machine.snapshot().missing, 0);
});

test('a graft adds the link to the tree and is served from the cache', (t) => {
  const { feed, sent } = singleMachine(['a', 'b'], { lazy: ['b'] });
  feed(0, { type: 'received', from: 'a', message: pushOf(1, { hops: 5 }) });
  feed(5, { type: 'wake' });
  feed(90, { type: 'received', from: 'b', message: graftOf(1) });
  feed(91, { type: 'received', from: 'a', message: pushOf(2) });
  t.deepEqual(sent(), ['b ihave x1', 'b push x1', 'b push x2']);
});

test('a peer gets a message on demand three times, however often it leaves and comes back', (t) => {
  const { feed, sent, reports } = singleMachine(['a', 'b', 'c']);
  feed(0, { type: 'received', from: 'a', message: pushOf(1) });
  sent();
  for (let visit = 0; visit < 5; visit++) {
    for (const peer of ['b', 'c']) feed(0, { type: 'received', from: peer, message: graftOf(1) });
    feed(0, { type: 'neighbor-down', peer: 'b' });
    feed(0, { type: 'neighbor-up', peer: 'b' });
  }
  const pushed = (peer: string) => lines.filter((line) => line === `${peer} push x1`).length;
  const lines = sent();
  t.deepEqual([pushed('b'), pushed('c')], [3, 3]);
  t.deepEqual(reports[0], ['b', 'graft-flood']);
});

test('a graft of an unknown message is answered at once, and the asker tries the next peer', (t) => {
  const { machine, feed, sent } = singleMachine(['a', 'b', 'c']);
  feed(0, { type: 'received', from: 'a', message: graftOf(1, 2) });
  t.deepEqual(sent(), ['a absent x1 x2']);

  // A peer whose control messages are longer gets several answers.
  const short = singleMachine(['a'], { idsEach: 5 });
  short.feed(0, { type: 'received', from: 'a', message: graftOf(1, 2, 3, 4, 5, 6) });
  t.deepEqual(short.sent(), ['a absent x1 x2 x3 x4 x5', 'a absent x6']);

  for (const from of ['b', 'c']) feed(0, { type: 'received', from, message: ihaveOf([9]) });
  feed(80, { type: 'wake' });
  feed(85, { type: 'received', from: 'b', message: { kind: 'absent', ids: [idOf(9)] } });
  t.is(machine.wakeAt, 85);
  feed(85, { type: 'wake' });
  t.deepEqual(sent(), ['b graft x9', 'c graft x9']);
  // No peer has the message: it is forgotten, and no promise is left.
  feed(90, { type: 'received', from: 'c', message: { kind: 'absent', ids: [idOf(9)] } });
  t.is(machine.snapshot().missing, 0);
  t.is(machine.snapshot().pendingGrafts, 0);
});

test('a peer that is much nearer to the publisher replaces the one that pushed', (t) => {
  for (const [optimizeAt, hops, swaps] of [
    [7, 9, true],
    [7, 8, false],
    [3, 5, true],
    [3, 4, false],
  ] as const) {
    const { machine, feed, sent } = singleMachine(['a', 'b'], { lazy: ['b'], optimizeAt });
    feed(0, { type: 'received', from: 'b', message: ihaveOf([1], 2) });
    feed(50, { type: 'received', from: 'a', message: pushOf(1, { hops }) });
    t.is(sent().includes('a prune'), swaps, `${optimizeAt} ${hops}`);
    t.deepEqual(eagerOf(machine), [swaps ? 'b' : 'a']);
  }
});

test('if there is no room to tell the nearer peer, the one that pushed stays in the tree, even if it cannot be told either', (t) => {
  const swap = (sequence: number, from: string, nearer: string) => [
    { type: 'received', from: nearer, message: ihaveOf([sequence], 2) } as const,
    { type: 'received', from, message: pushOf(sequence, { hops: 9 }) } as const,
  ];
  const { machine, feed, stuck } = singleMachine(['a', 'b', 'c'], { lazy: ['a', 'b'] });
  for (const input of swap(1, 'c', 'a')) feed(1_000, input);
  t.deepEqual([eagerOf(machine), machine.counters.optimized], [['a'], 1]);
  for (const peer of ['a', 'b', 'c']) stuck.add(peer);
  for (const input of swap(2, 'a', 'b')) feed(2_000, input);
  t.deepEqual([eagerOf(machine), machine.counters.optimized], [['a'], 1]);
});

test('a peer without room gets a notice, and the message as soon as it has room', (t) => {
  const { feed, sent, full } = singleMachine(['a', 'b', 'c']);
  full.add('b');
  feed(0, { type: 'received', from: 'a', message: pushOf(1) });
  full.delete('b');
  // Nothing is pushed to b until it is reported as writable.
  feed(1, { type: 'received', from: 'a', message: pushOf(2) });
  feed(5, { type: 'wake' });
  t.deepEqual(sent(), ['c push x1', 'c push x2', 'b ihave x1 x2']);
  feed(6, { type: 'received', from: 'b', message: ihaveOf([1]) });
  feed(7, { type: 'writable', peer: 'b' });
  t.deepEqual(sent(), ['b push x2']);
  feed(8, { type: 'received', from: 'a', message: pushOf(3) });
  t.deepEqual(sent(), ['b push x3', 'c push x3']);
});

test('a message requested by a peer without room is sent when there is room', (t) => {
  const { feed, sent, full } = singleMachine(['a', 'b']);
  feed(0, { type: 'received', from: 'a', message: pushOf(1) });
  sent();
  full.add('b');
  feed(10, { type: 'received', from: 'b', message: graftOf(1) });
  t.deepEqual(sent(), []);
  full.delete('b');
  feed(11, { type: 'received', from: 'b', message: PRUNE });
  feed(20, { type: 'writable', peer: 'b' });
  t.deepEqual(sent(), ['b push x1']);
});

test('if there is no room even for notices, they wait, and the oldest are dropped; the other peers lose nothing', (t) => {
  const options = { lazy: ['b'], backlog: 3 };
  const { machine, feed, sent, stuck } = singleMachine(['a', 'b', 'c'], options);
  stuck.add('b');
  for (let sequence = 0; sequence < 5; sequence++) {
    feed(sequence * 10, { type: 'received', from: 'a', message: pushOf(sequence) });
    feed(sequence * 10 + 5, { type: 'wake' });
  }
  t.deepEqual(sent(), ['c push x0', 'c push x1', 'c push x2', 'c push x3', 'c push x4']);
  t.true(machine.wakeAt > 1_000);
  stuck.delete('b');
  feed(100, { type: 'writable', peer: 'b' });
  t.deepEqual(sent(), ['b ihave x2 x3 x4']);
  t.is(machine.counters.noticesDropped, 2);
});

test('notices that found no room are sent before later ones', (t) => {
  const { machine, feed, sent, stuck } = singleMachine(['a', 'b'], { lazy: ['b'] });
  stuck.add('b');
  machine.handle(0, { type: 'received', from: 'a', message: pushOf(1) });
  machine.handle(5, { type: 'wake' });
  feed(6, { type: 'received', from: 'a', message: pushOf(2) });
  stuck.delete('b');
  feed(10, { type: 'writable', peer: 'b' });
  t.deepEqual(sent(), ['b ihave x1 x2']);
});

test('a peer that comes up is told what is in the cache; one that went down gets none of its waiting messages', (t) => {
  const { feed, sent } = singleMachine(['a', 'b'], { lazy: ['b'], announce: 2 });
  for (let sequence = 0; sequence < 4; sequence++)
    feed(0, { type: 'received', from: 'a', message: pushOf(sequence) });
  feed(0, { type: 'neighbor-down', peer: 'b' });
  feed(5, { type: 'wake' });
  t.deepEqual(sent(), []);
  feed(10, { type: 'neighbor-up', peer: 'b' });
  feed(15, { type: 'wake' });
  t.deepEqual(sent(), ['b ihave x2 x3']);
});

test('a peer that went down is not asked for messages', (t) => {
  const { machine, feed, sent } = singleMachine(['a', 'b']);
  feed(0, { type: 'received', from: 'a', message: ihaveOf([1, 2]) });
  feed(0, { type: 'received', from: 'b', message: ihaveOf([2]) });
  feed(0, { type: 'neighbor-down', peer: 'a' });
  feed(80, { type: 'wake' });
  t.deepEqual(sent(), ['b graft x2']);
  feed(0, { type: 'neighbor-down', peer: 'b' });
  t.is(machine.snapshot().missing, 0);
  t.is(machine.snapshot().pendingGrafts, 0);
});

test('the cache is limited by time, entries and bytes, ids by time', (t) => {
  const options = { cacheMessages: 3, cacheBytes: 100 };
  const { machine, feed, runOut, sent } = singleMachine(['a'], options);
  for (let sequence = 0; sequence < 5; sequence++)
    feed(0, { type: 'received', from: 'a', message: pushOf(sequence, { size: 10 }) });
  t.deepEqual(machine.snapshot().cached, { messages: 3, bytes: 30 });
  feed(10, { type: 'received', from: 'a', message: pushOf(5, { size: 1_000 }) });
  t.deepEqual(machine.snapshot().cached, { messages: 1, bytes: 1_000 });
  t.is(machine.counters.evicted, 5);
  feed(20, { type: 'received', from: 'a', message: graftOf(5, 4) });
  t.deepEqual(sent(), ['a push x5', 'a absent x4']);
  // Half a minute later the message is gone from the cache, but its id is remembered.
  runOut(39_999);
  t.is(machine.snapshot().cached.messages, 0);
  feed(40_000, { type: 'received', from: 'a', message: pushOf(5) });
  t.is(machine.counters.delivered, 6);
  runOut(700_000);
  t.is(machine.wakeAt, Number.POSITIVE_INFINITY);
});

test('a cached message expires on time, also after the cache was empty for a while, and is no longer announced', (t) => {
  const { machine, feed, runOut, sent } = singleMachine(['a']);
  for (const [sequence, begin] of [0, 40_000, 80_000].entries()) {
    feed(begin, { type: 'received', from: 'a', message: pushOf(sequence) });
    runOut(begin + 39_999);
    t.is(machine.snapshot().cached.messages, 0, `from ${begin}`);
  }
  sent();
  feed(121_000, { type: 'neighbor-up', peer: 'b' });
  feed(121_010, { type: 'wake' });
  t.deepEqual(sent(), []);
});

test('a pruned link that brings a new message after all has settled joins the tree again', (t) => {
  const { feed, sent } = singleMachine(['a', 'b']);
  feed(0, { type: 'received', from: 'a', message: pushOf(1) });
  feed(1, { type: 'received', from: 'b', message: pushOf(1) });
  feed(400, { type: 'received', from: 'b', message: pushOf(2) });
  feed(450, { type: 'received', from: 'a', message: pushOf(3) });
  t.false(sent().includes('b push x3'));
  feed(501, { type: 'received', from: 'b', message: pushOf(4) });
  feed(502, { type: 'received', from: 'a', message: pushOf(5) });
  t.true(sent().includes('b push x5'));
});

test('the hops of a message are the links that it passed, pushed or requested', (t) => {
  const network = new Network({ nodes: 5, random: seededRandom(1), latency: [10, 10] });
  for (let node = 0; node < 4; node++) network.up(node, node + 1);
  network.publish(0);
  network.run(100);
  t.is([...network.rounds.values()][0]!.lastHop, 4);
  network.inject(3, 2, PRUNE);
  network.resetTraffic();
  network.publish(0);
  network.run(1_000);
  t.is([...network.rounds.values()][0]!.lastHop, 4);
  t.is(network.machines[3]!.counters.graftsSent, 1);
});

test('ids are remembered at least as long as the messages are kept', (t) => {
  t.like(plumtreeOptions({ cacheTime: 100_000 }), { idTime: 100_000, originTime: 600_000 });
  t.like(plumtreeOptions({ cacheTime: 700_000 }), { idTime: 700_000, originTime: 700_000 });
});
