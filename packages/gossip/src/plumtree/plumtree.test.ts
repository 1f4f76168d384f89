// Tests of a single Plumtree machine: pushes, notices, grafts, prunes, and the cache.

import { seededRandom } from '@trunkline/transport-core';
import test from 'ava';
import { graftOf, idOf, ihaveOf, lone, pushOf } from './testing/lone.ts';
import { Network } from './testing/network.ts';

const PRUNE = { kind: 'prune' } as const;

test('a new message is pushed on to the tree, told to the others, and delivered with its way', (t) => {
  const { machine, sent, delivered } = lone(['a', 'b', 'c']);
  machine.received('c', PRUNE, 0);
  machine.received('a', pushOf(1, { hops: 3 }), 10);
  t.deepEqual(sent(), ['b push x1']);
  t.deepEqual(delivered, ['x1 text from a in 3']);
  t.is(machine.due, 15);
  machine.wake(14);
  t.deepEqual(sent(), []);
  machine.wake(15);
  t.deepEqual(sent(), ['c ihave x1']);
});

test('publishing tells how many peers were pushed to and told', (t) => {
  const { machine, sent, full } = lone(['a', 'b', 'c']);
  machine.received('b', PRUNE, 0);
  full.add('c');
  t.deepEqual(machine.publish({ id: idOf(0, 'me'), payload: 'p', size: 1 }, 0), {
    pushed: 1,
    announced: 2,
  });
  machine.wake(5);
  t.deepEqual(sent(), ['a push me0', 'b ihave me0', 'c ihave me0']);
  t.throws(() => machine.publish({ id: idOf(0, 'me'), payload: 'p', size: 1 }, 0), {
    instanceOf: TypeError,
    message: /already published/,
  });
  t.throws(() => machine.publish({ id: idOf(0, 'x'), payload: 'p', size: 1 }, 0), {
    instanceOf: TypeError,
    message: /IdSource/,
  });
});

test('notices of a moment go together, in messages of a bounded size', (t) => {
  const { machine, sent } = lone(['a', 'b'], { controlSize: 256 });
  machine.received('b', PRUNE, 0);
  for (let sequence = 0; sequence < 12; sequence++)
    machine.received('a', pushOf(sequence), sequence / 10);
  machine.wake(5);
  t.deepEqual(sent(), ['b ihave x0 x1 x2 x3 x4', 'b ihave x5 x6 x7 x8 x9', 'b ihave x10 x11']);
  t.is(machine.counters.noticesSent, 12);
});

test('what comes again prunes the link that it came over', (t) => {
  const { machine, sent, delivered } = lone(['a', 'b']);
  machine.received('a', pushOf(1), 0);
  machine.received('b', pushOf(1), 1);
  t.deepEqual(sent(), ['b push x1', 'b prune']);
  t.is(delivered.length, 1);
  machine.received('a', pushOf(2), 2);
  machine.wake(10);
  t.deepEqual(sent(), ['b ihave x2']);
  // A message that was in flight doesn't cost another prune.
  machine.received('b', pushOf(2), 11);
  t.deepEqual(sent(), []);
  // But a peer that keeps pushing is pruned again.
  machine.received('a', pushOf(3), 600);
  machine.received('b', pushOf(3), 601);
  t.deepEqual(sent(), ['b prune']);
});

test('several messages on their way at once do not prune both links', (t) => {
  const { machine, sent } = lone(['a', 'b']);
  machine.received('a', pushOf(1), 0);
  machine.received('b', pushOf(1), 1);
  machine.received('b', pushOf(2), 2);
  machine.received('a', pushOf(2), 3);
  t.deepEqual(
    sent().filter((line) => line.endsWith('prune')),
    ['b prune'],
  );
  t.deepEqual(
    machine.snapshot().neighbors.map(({ id, eager }) => [id, eager]),
    [
      ['a', true],
      ['b', false],
    ],
  );
});

test('a link that repeats a message is no second path', (t) => {
  const { machine, sent } = lone(['a']);
  machine.received('a', pushOf(1), 0);
  machine.received('a', pushOf(1), 1);
  t.deepEqual(sent(), []);
  t.is(machine.counters.duplicates, 1);
});

test('with a threshold so many duplicates in a row are borne', (t) => {
  const { machine, sent } = lone(['a', 'b'], { pruneAfter: 3 });
  const duplicate = (sequence: number) => {
    machine.received('a', pushOf(sequence), sequence);
    machine.received('b', pushOf(sequence), sequence);
    return sent().includes('b prune');
  };
  t.false(duplicate(1));
  t.false(duplicate(2));
  machine.received('b', pushOf(3), 3);
  t.false(duplicate(4));
  t.false(duplicate(5));
  t.true(duplicate(6));
});

test('a message that others have is asked for: the first after 80 ms, each next after 40 ms, then anew', (t) => {
  const { machine, sent, delivered } = lone(['a', 'b', 'c']);
  for (const peer of ['a', 'b', 'c']) machine.received(peer, PRUNE, 0);
  machine.received('b', ihaveOf([7], 4), 100);
  machine.received('c', ihaveOf([7], 2), 110);
  const asked: [number, string][] = [];
  for (let now = machine.due; now < 1_400; now = machine.due) {
    machine.wake(now);
    for (const line of sent()) asked.push([now, line]);
  }
  t.deepEqual(asked, [
    [180, 'b graft x7'],
    [220, 'c graft x7'],
    [1_220, 'b graft x7'],
    [1_260, 'c graft x7'],
  ]);
  machine.received('c', pushOf(7, { hops: 2 }), 1_500);
  t.is(delivered.length, 1);
  t.is(machine.snapshot().missing, 0);
});

test('a message that comes in time is not asked for', (t) => {
  const { machine, sent } = lone(['a', 'b']);
  machine.received('b', ihaveOf([7]), 0);
  machine.received('a', pushOf(7), 79);
  machine.wake(80);
  t.false(sent().some((line) => line.includes('graft')));
});

test('a graft makes the link one of the tree and is served from the cache', (t) => {
  const { machine, sent } = lone(['a', 'b']);
  machine.received('b', PRUNE, 0);
  machine.received('a', pushOf(1, { hops: 5 }), 0);
  machine.wake(5);
  machine.received('b', graftOf(1), 90);
  machine.received('a', pushOf(2), 91);
  t.deepEqual(sent(), ['b ihave x1', 'b push x1', 'b push x2']);
});

test('a graft of what is not here is answered at once, and the answer moves the asker on', (t) => {
  const { machine, sent } = lone(['a', 'b', 'c']);
  machine.received('a', graftOf(1, 2), 0);
  t.deepEqual(sent(), ['a absent x1 x2']);

  machine.received('b', ihaveOf([9]), 0);
  machine.received('c', ihaveOf([9]), 0);
  machine.wake(80);
  machine.received('b', { kind: 'absent', ids: [idOf(9)] }, 85);
  t.is(machine.due, 85);
  machine.wake(85);
  t.deepEqual(sent(), ['b graft x9', 'c graft x9']);
  // No peer has the message: it is forgotten, and no promise is left.
  machine.received('c', { kind: 'absent', ids: [idOf(9)] }, 90);
  t.is(machine.snapshot().missing, 0);
  t.is(machine.snapshot().pendingGrafts, 0);
});

test('a peer that is much nearer to the publisher takes the place of the one that pushed', (t) => {
  for (const [threshold, hops, swaps] of [
    [7, 9, true],
    [7, 8, false],
    [3, 5, true],
    [3, 4, false],
  ] as const) {
    const { machine, sent } = lone(['a', 'b'], { optimizeAt: threshold });
    machine.received('b', PRUNE, 0);
    machine.received('b', ihaveOf([1], 2), 0);
    machine.received('a', pushOf(1, { hops }), 50);
    t.is(sent().includes('a prune'), swaps, `${threshold} ${hops}`);
    t.deepEqual(
      machine.snapshot().neighbors.map(({ eager }) => eager),
      swaps ? [false, true] : [true, false],
    );
  }
});

test('a peer without room gets a notice, and the message as soon as it has room', (t) => {
  const { machine, sent, full } = lone(['a', 'b', 'c']);
  full.add('b');
  machine.received('a', pushOf(1), 0);
  full.delete('b');
  // Nothing is pushed to b until it is reported as writable.
  machine.received('a', pushOf(2), 1);
  machine.wake(5);
  t.deepEqual(sent(), ['c push x1', 'c push x2', 'b ihave x1 x2']);
  machine.received('b', ihaveOf([1]), 6);
  machine.writable('b', 7);
  t.deepEqual(sent(), ['b push x2']);
  machine.received('a', pushOf(3), 8);
  t.deepEqual(sent(), ['b push x3', 'c push x3']);
});

test('what was asked for of a peer without room is sent when there is room', (t) => {
  const { machine, sent, full } = lone(['a', 'b']);
  machine.received('a', pushOf(1), 0);
  sent();
  full.add('b');
  machine.received('b', graftOf(1), 10);
  t.deepEqual(sent(), []);
  full.delete('b');
  machine.received('b', PRUNE, 11);
  machine.writable('b', 20);
  t.deepEqual(sent(), ['b push x1']);
});

test('where not even notices have room, they wait, the oldest dropped; nothing is lost for the others', (t) => {
  const { machine, sent, stuck } = lone(['a', 'b', 'c'], { backlog: 3 });
  machine.received('b', PRUNE, 0);
  stuck.add('b');
  for (let sequence = 0; sequence < 5; sequence++) {
    machine.received('a', pushOf(sequence), sequence * 10);
    machine.wake(sequence * 10 + 5);
  }
  t.deepEqual(sent(), ['c push x0', 'c push x1', 'c push x2', 'c push x3', 'c push x4']);
  t.true(machine.due > 1_000);
  stuck.delete('b');
  machine.writable('b', 100);
  t.deepEqual(sent(), ['b ihave x2 x3 x4']);
  t.is(machine.counters.noticesDropped, 2);
});

test('a peer that comes up is told of what is in the cache; one that went down gets nothing that waited', (t) => {
  const { machine, sent } = lone(['a', 'b'], { announce: 2 });
  machine.received('b', PRUNE, 0);
  for (let sequence = 0; sequence < 4; sequence++) machine.received('a', pushOf(sequence), 0);
  machine.neighborDown('b');
  machine.wake(5);
  t.deepEqual(sent(), []);
  machine.neighborUp('b', 10);
  machine.wake(15);
  t.deepEqual(sent(), ['b ihave x2 x3']);
});

test('a peer that went down is asked for nothing', (t) => {
  const { machine, sent } = lone(['a', 'b']);
  machine.received('a', ihaveOf([1, 2]), 0);
  machine.received('b', ihaveOf([2]), 0);
  machine.neighborDown('a');
  machine.wake(80);
  t.deepEqual(sent(), ['b graft x2']);
  machine.neighborDown('b');
  t.is(machine.snapshot().missing, 0);
  t.is(machine.snapshot().pendingGrafts, 0);
});

test('the cache is bounded by time, entries and bytes; ids by time', (t) => {
  const { machine, sent } = lone(['a'], { cacheMessages: 3, cacheBytes: 100 });
  for (let sequence = 0; sequence < 5; sequence++)
    machine.received('a', pushOf(sequence, { size: 10 }), 0);
  t.deepEqual(machine.snapshot().cached, { messages: 3, bytes: 30 });
  machine.received('a', pushOf(5, { size: 1_000 }), 10);
  t.deepEqual(machine.snapshot().cached, { messages: 1, bytes: 1_000 });
  t.is(machine.counters.evicted, 5);
  machine.received('a', graftOf(5, 4), 20);
  t.deepEqual(sent(), ['a push x5', 'a absent x4']);
  // Half a minute later the message is gone from the cache, but its id is remembered.
  for (let now = machine.due; now < 40_000; now = machine.due) machine.wake(now);
  t.is(machine.snapshot().cached.messages, 0);
  machine.received('a', pushOf(5), 40_000);
  t.is(machine.counters.delivered, 6);
  t.is(machine.snapshot().digests, 6);
  for (let now = machine.due; now < 700_000; now = machine.due) machine.wake(now);
  t.deepEqual([machine.snapshot().digests, machine.snapshot().origins], [0, 0]);
  t.is(machine.due, Number.POSITIVE_INFINITY);
});

test('a restarted origin is heard, and what is left of its earlier life is dropped', (t) => {
  const { machine, delivered, dropped } = lone(['a']);
  machine.received('a', pushOf(9, { epoch: 1 }), 0);
  machine.received('a', pushOf(0, { epoch: 2 }), 1);
  machine.received('a', pushOf(10, { epoch: 1 }), 2);
  t.is(delivered.length, 2);
  t.deepEqual(dropped, ['x10 a old']);
});

test('what is cached is forgotten in its time, also after the cache was empty for a while, and is told to nobody then', (t) => {
  const { machine, sent } = lone(['a']);
  for (const [sequence, begin] of [0, 40_000, 80_000].entries()) {
    machine.received('a', pushOf(sequence), begin);
    for (let now = begin; now < begin + 40_000; now += 1_000)
      if (machine.due <= now) machine.wake(now);
    t.is(machine.snapshot().cached.messages, 0, `from ${begin}`);
  }
  sent();
  machine.neighborUp('b', 121_000);
  machine.wake(121_010);
  t.deepEqual(sent(), []);
});

test('a pruned link that brings something new, once all has settled, is one of the tree again', (t) => {
  const { machine, sent } = lone(['a', 'b']);
  machine.received('a', pushOf(1), 0);
  machine.received('b', pushOf(1), 1);
  machine.received('b', pushOf(2), 400);
  machine.received('a', pushOf(3), 450);
  t.false(sent().includes('b push x3'));
  machine.received('b', pushOf(4), 501);
  machine.received('a', pushOf(5), 502);
  t.true(sent().includes('b push x5'));
});

test('the hops of a message are the links that it passed, pushed or asked for', (t) => {
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
