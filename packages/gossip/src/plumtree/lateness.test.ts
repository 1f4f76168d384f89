// Tests of waiting longer for messages that come late by the tree.

import test from 'ava';
import { idOf, ihaveOf, lone, pushOf } from './testing/lone.ts';

/** Peer b gives notice of the message; peer a pushes it `by` milliseconds later. */
function late(
  { machine }: ReturnType<typeof lone>,
  sequence: number,
  from: number,
  by: number,
): void {
  machine.received('b', ihaveOf([sequence]), from);
  machine.arrived('a', idOf(sequence), from + by);
  machine.received('a', pushOf(sequence), from + by);
}

test('where messages come late by the tree, nobody is asked for them sooner than that', (t) => {
  const net = lone(['a', 'b']);
  const { machine, sent } = net;
  late(net, 1, 0, 70);
  machine.received('b', ihaveOf([2]), 1_000);
  sent();
  t.is(machine.due, 1_000 + 80 + 140);
  machine.wake(1_219);
  t.deepEqual(sent(), []);
  machine.wake(1_220);
  t.deepEqual(sent(), ['b graft x2']);
});

test('lateness fades with the messages that come in time', (t) => {
  const net = lone(['a', 'b']);
  const { machine } = net;
  late(net, 1, 0, 70);
  for (let sequence = 2; sequence < 100; sequence++) machine.arrived('a', idOf(sequence), 100);
  machine.received('b', ihaveOf([100]), 1_000);
  t.true(machine.due < 1_082, `${machine.due}`);
});

test('it is two seconds at most, and what was asked for says nothing of it', (t) => {
  const net = lone(['a', 'b']);
  const { machine } = net;
  machine.received('b', ihaveOf([1]), 0);
  machine.wake(80);
  machine.arrived('b', idOf(1), 2_500);
  machine.received('b', pushOf(1), 2_500);
  machine.received('b', ihaveOf([2]), 3_000);
  t.is(machine.due, 3_080);
  machine.arrived('a', idOf(2), 9_000);
  machine.received('a', pushOf(2), 9_000);
  machine.received('b', ihaveOf([3]), 10_000);
  machine.wake(12_079);
  t.is(machine.counters.graftsSent, 1);
  machine.wake(12_080);
  t.is(machine.counters.graftsSent, 2);
});
