// Tests of messages that the host refuses, or takes time to look at.

import test from 'ava';
import type { Plumtree } from './plumtree.ts';
import { idOf, ihaveOf, lone, pushOf } from './testing/lone.ts';

function runOut(machine: Plumtree<string>, until: number): void {
  for (let now = machine.due; now <= until; now = machine.due) machine.wake(now);
}

test('who sent what it was asked for has kept its promise, though the message is refused', (t) => {
  const { machine, sent, reports } = lone(['a', 'b']);
  machine.received('a', ihaveOf([1]), 0);
  machine.wake(80);
  t.deepEqual(sent(), ['a graft x1']);
  machine.arrived('a', idOf(1), 0);
  machine.refuse(idOf(1));
  runOut(machine, 20_000);
  t.deepEqual(reports, []);
  t.is(machine.counters.brokenPromises, 0);
  const [a] = machine.snapshot().neighbors;
  t.like(a, { id: 'a', kept: 1, broken: 0 });
});

test('what is refused is not asked for, of who gave notice of it before or after; it is passed on to nobody and delivered to nobody', (t) => {
  const { machine, sent, delivered } = lone(['a', 'b', 'c']);
  machine.received('b', ihaveOf([1]), 0);
  machine.arrived('a', idOf(1), 0);
  machine.refuse(idOf(1));
  machine.received('c', ihaveOf([1]), 10);
  runOut(machine, 20_000);
  machine.neighborUp('d', 20_000);
  runOut(machine, 40_000);
  t.deepEqual(sent(), []);
  t.deepEqual(delivered, []);
  t.like(machine.snapshot(), { missing: 0, cached: { messages: 0 } });
  t.is(machine.counters.lost, 0);
});

test('what is refused is new all the same if it is pushed: the one that was refused may be a forgery', (t) => {
  const { machine, sent, delivered, reports } = lone(['a', 'b', 'c']);
  machine.arrived('a', idOf(1), 0);
  machine.refuse(idOf(1));
  t.is(machine.screen(idOf(1), 5), 'new');
  machine.received('b', pushOf(1, { payload: 'the true one' }), 10);
  t.deepEqual(delivered, ['x1 the true one from b in 1']);
  t.deepEqual(sent(), ['a push x1', 'c push x1']);
  t.deepEqual(reports, []);
});

test('while a message is looked at nobody else is asked for it; who gave notice meanwhile is not pushed it', (t) => {
  const { machine, sent, delivered } = lone(['a', 'b', 'c', 'd']);
  machine.received('b', ihaveOf([1]), 0);
  machine.arrived('a', idOf(1), 0);
  machine.hold(idOf(1));
  machine.received('c', ihaveOf([1]), 10);
  runOut(machine, 900);
  t.deepEqual(sent(), []);
  t.is(machine.snapshot().missing, 0);
  machine.received('a', pushOf(1), 900);
  t.deepEqual(delivered, ['x1 text from a in 1']);
  t.deepEqual(sent(), ['d push x1']);
});

test('a message that was looked at is taken though the neighbor that brought it is gone by then', (t) => {
  const { machine, sent, delivered } = lone(['a', 'b'], { settleTime: 0 });
  machine.arrived('a', idOf(1), 0);
  machine.hold(idOf(1));
  machine.neighborDown('a');
  machine.received('a', pushOf(1, { hops: 20 }), 500);
  machine.received('a', pushOf(2), 500);
  t.deepEqual(delivered, ['x1 text from a in 20']);
  t.deepEqual(sent(), ['b push x1']);
  t.is(machine.counters.strangers, 1, 'what was not held is a stranger’s');
  t.deepEqual(
    machine.snapshot().neighbors.map(({ id }) => id),
    ['b'],
  );
});

test('what is remembered of refusals is bounded: of the oldest one copy more may be asked for', (t) => {
  const { machine, sent } = lone(['a']);
  for (let sequence = 0; sequence <= 4_096; sequence++) machine.refuse(idOf(sequence));
  machine.received('a', ihaveOf([0, 1]), 0);
  runOut(machine, 100);
  t.deepEqual(sent(), ['a graft x0']);
});
