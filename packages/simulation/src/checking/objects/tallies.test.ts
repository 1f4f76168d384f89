// Tests of the checks that Jepsen defines: sets, counters, ids and queues that are drained.

import test from 'ava';
import type {
  CounterCommand,
  QueueCommand,
  QueueResult,
  SetCommand,
  SetResult,
} from './commands.ts';
import { createObjectHistory } from './object-history.ts';
import {
  checkCounter,
  checkSet,
  checkTotalQueue,
  checkUniqueIds,
  type TallyVerdict,
} from './tallies.ts';

const textOf = (verdict: TallyVerdict) => ('text' in verdict ? verdict.text : '');

test('a set is judged by its last read', (t) => {
  const history = createObjectHistory<SetCommand, SetResult>();
  const add = (value: string) => history.call('c', { op: 'add', value });
  add('a').ok();
  add('b').unknown();
  add('c').unknown();
  add('d').fail();
  t.is(checkSet(history).valid, undefined);
  t.is(textOf(checkSet(history)), 'undecided: the set: no read of the whole set completed');
  const late = add('e');
  history.call('r', { op: 'read' }).ok(['x']);
  const read = history.call('r', { op: 'read' });
  late.ok();
  read.ok(['a', 'b']);
  t.deepEqual(checkSet(history), {
    valid: true,
    counts: { attempted: 5, acknowledged: 2, read: 2, lost: 0, unexpected: 0, recovered: 1 },
  });
  history.call('r', { op: 'read' }).ok(['b', 'd']);
  t.is(
    textOf(checkSet(history)),
    `the set is wrong: 2 lost values: a, e, 1 unexpected value: d
  c  add "a" -> ok  [1..2]
  c  add "e" -> ok  [9..13]
  r  read -> ["b","d"]  [15..16]`,
  );
  history.call('c', { op: 'remove', value: 'a' }).ok();
  t.throws(() => checkSet(history), {
    instanceOf: TypeError,
    message: /c removes a, .*check\.object/,
  });
});

test('a dequeue whose value the client does not know may have taken a missing one', (t) => {
  const history = createObjectHistory<QueueCommand, QueueResult>();
  history.call('p', { op: 'enqueue', value: 'a' }).ok();
  history.call('c', { op: 'dequeue' }).ok();
  t.is(checkTotalQueue(history).valid, undefined);
});

test('an add of unknown outcome explains a value, whatever became of a later one', (t) => {
  for (const again of ['fail', 'ok'] as const) {
    const history = createObjectHistory<SetCommand, SetResult>();
    const add = () => history.call('c', { op: 'add', value: 'a' });
    add().unknown();
    if (again === 'fail') add().fail();
    history.call('r', { op: 'read' }).ok(['a']);
    if (again === 'ok') add().ok();
    t.true(checkSet(history).valid);
  }
});

test('a read of a counter lies between the least and the most that it may be', (t) => {
  const history = createObjectHistory<CounterCommand, number>();
  const read = (value: number) => history.call('r', { op: 'read' }).ok(value);
  const add = history.call('a', { op: 'add', by: 5 });
  const minus = history.call('b', { op: 'add', by: -2 });
  for (const value of [-2, 0, 3, 5]) read(value);
  add.ok();
  minus.ok();
  history.call('a', { op: 'add', by: 10 }).unknown();
  history.call('a', { op: 'add', by: 100 }).fail();
  for (const value of [3, 13, 8]) read(value);
  t.deepEqual(checkCounter(history), { valid: true, counts: { adds: 4, reads: 7, outside: 0 } });
  for (const value of [2, 14]) read(value);
  t.is(
    textOf(checkCounter(history)),
    `the counter is wrong: r read 2, which is not between 3 and 13, r read 14, which is not between 3 and 13
  r  read -> 2  [23..24]
  r  read -> 14  [25..26]`,
  );
});

test('ids are unique', (t) => {
  const history = createObjectHistory<{ op: string }, string>();
  for (const id of ['1', '2', '3']) history.call('a', { op: 'generate' }).ok(id);
  history.call('b', { op: 'generate' }).unknown();
  const counts = { attempted: 4, acknowledged: 3, duplicated: 0 };
  t.deepEqual(checkUniqueIds(history), { valid: true, counts });
  history.call('c', { op: 'generate' }).ok('2');
  const verdict = checkUniqueIds(history);
  t.is(
    textOf(verdict),
    `the generator of ids is wrong: 1 duplicated value: 2
  a  generate -> "2"  [3..4]
  c  generate -> "2"  [9..10]`,
  );
  t.true('violation' in verdict && verdict.violation.operations[1]!.culprit);
});

test('a queue that was drained has given back all values', (t) => {
  const history = createObjectHistory<QueueCommand, QueueResult>();
  const enqueue = (value: string) => history.call('p', { op: 'enqueue', value });
  const dequeue = () => history.call('c', { op: 'dequeue' });
  enqueue('a').ok();
  enqueue('b').ok();
  enqueue('c').unknown();
  enqueue('d').unknown();
  for (const value of ['b', 'a', 'a', 'c', null]) dequeue().ok(value);
  const counts = {
    ...{ attempted: 4, acknowledged: 2, dequeued: 4, lost: 0 },
    ...{ unexpected: 0, duplicated: 1, recovered: 1 },
  };
  t.deepEqual(checkTotalQueue(history), { valid: true, counts });
  enqueue('e').ok();
  t.regex(
    textOf(checkTotalQueue(history)),
    /^the queue is wrong: 1 lost value: e\n {2}p {2}enqueue "e"/,
  );
  dequeue().unknown();
  t.is(checkTotalQueue(history).valid, undefined);
  t.regex(textOf(checkTotalQueue(history)), /1 values are missing, which 1 dequeues of unknown/);
  dequeue().ok('x');
  t.regex(textOf(checkTotalQueue(history)), /1 lost value: e, 1 unexpected value: x\n/);
});

test('each object is judged by itself, and the counts are sums', (t) => {
  const history = createObjectHistory<QueueCommand, QueueResult>();
  for (const object of ['x', 'y']) history.call('p', { op: 'enqueue', value: '1', object }).ok();
  history.call('c', { op: 'dequeue', object: 'x' }).ok('1');
  const verdict = checkTotalQueue(history);
  t.like(verdict.counts, { attempted: 2, dequeued: 1, lost: 1 });
  t.regex(textOf(verdict), /^the queue y is wrong/);
});

test('long histories are judged, and a text shows only some calls', (t) => {
  const history = createObjectHistory<CounterCommand, number>();
  for (let i = 0; i < 20_000; i++) {
    history.call('a', { op: 'add', by: 1 }).ok();
    history.call('r', { op: 'read' }).ok(i % 100 === 7 ? -1 : i + 1);
  }
  const verdict = checkCounter(history);
  t.deepEqual(verdict.counts, { adds: 20_000, reads: 20_000, outside: 200 });
  t.regex(textOf(verdict), /and 188 more\n(.*\n){12} {2}\(188 more calls\)$/);
});
