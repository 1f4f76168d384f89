// Tests of the operations that a failed check passes on.

import test from 'ava';
import { createHistory } from './history.ts';
import { checkLinearizable } from './linearizable.ts';
import { checkObject } from './objects/check-object.ts';
import type { QueueCommand, QueueResult } from './objects/commands.ts';
import { models } from './objects/models.ts';
import { createObjectHistory } from './objects/object-history.ts';
import { checkTransactions } from './transactions/check-transactions.ts';
import type { TransactionCommand, TransactionResult } from './transactions/transaction.ts';
import { type Violation, violationIn } from './violation.ts';

const violationOf = (verdict: object): Violation => (verdict as { violation: Violation }).violation;

test('linearizable: the culprit returned last, and what was open then has no end', (t) => {
  const clock = { now: 1 };
  const history = createHistory(clock);
  history.call('a', { key: 'x', op: 'set', value: '1' }).ok();
  clock.now = 2;
  const open = history.call('b', { key: 'x', op: 'set', value: '2' });
  clock.now = 3;
  const seen = history.call('c', { key: 'x', op: 'get' });
  clock.now = 4;
  seen.ok('2');
  const stale = history.call('d', { key: 'x', op: 'get' });
  clock.now = 5;
  stale.ok('1');
  clock.now = 6;
  open.ok();
  history.call('a', { key: 'x', op: 'get' }).ok('2');
  t.deepEqual(violationOf(checkLinearizable(history)), {
    at: 5,
    operations: [
      { client: 'a', text: "set x '1' -> ok", from: 1, to: 1, culprit: false },
      { client: 'b', text: "set x '2' -> ?", from: 2, to: undefined, culprit: false },
      { client: 'c', text: "get x -> '2'", from: 3, to: 4, culprit: false },
      { client: 'd', text: "get x -> '1'", from: 4, to: 5, culprit: true },
    ],
  });
});

test('object: the last twelve calls, and the culprit even if it was called earlier', (t) => {
  const clock = { now: 0 };
  const history = createObjectHistory<QueueCommand, QueueResult>(clock);
  const culprit = history.call('slow', { op: 'dequeue' });
  for (; clock.now < 20; clock.now++)
    history.call('c', { op: 'enqueue', value: `${clock.now}` }).ok();
  culprit.ok('never enqueued');
  const verdict = checkObject(history, models.queue());
  const { at, operations } = violationOf(verdict);
  t.is(at, 20);
  t.is(operations.length, 13);
  t.deepEqual(operations[0], {
    client: 'slow',
    text: 'dequeue -> "never enqueued"',
    from: 0,
    to: 20,
    culprit: true,
  });
  t.is(operations.filter(({ culprit }) => culprit).length, 1);
  t.is(operations.at(-1)!.text, 'enqueue "19" -> ok');
  t.regex(
    'text' in verdict ? verdict.text : '',
    /\(8 earlier calls\)\n {2}slow .*<- cannot be explained\n/,
  );
});

test('transactions: in order of call, and the last that returned is the culprit', (t) => {
  const clock = { now: 1 };
  const history = createObjectHistory<TransactionCommand, TransactionResult>(clock);
  const [one, other] = [
    history.call('c1', [
      { op: 'read', key: 'x' },
      { op: 'append', key: 'y', value: '1' },
    ]),
    history.call('c2', [
      { op: 'read', key: 'y' },
      { op: 'append', key: 'x', value: '2' },
    ]),
  ];
  clock.now = 2;
  one.ok([[], undefined]);
  clock.now = 3;
  other.ok([[], undefined]);
  t.deepEqual(violationOf(checkTransactions(history)), {
    at: 3,
    operations: [
      { client: 'c1', text: 'read x -> [], append y 1', from: 1, to: 2, culprit: false },
      { client: 'c2', text: 'read y -> [], append x 2', from: 1, to: 3, culprit: true },
    ],
  });
});

test('a violation is found in the causes of an error, and nothing else is', (t) => {
  const history = createObjectHistory<QueueCommand, QueueResult>();
  history.call('c', { op: 'dequeue' }).ok('a');
  const verdict = checkObject(history, models.queue());
  const { violation } = verdict as { violation?: Violation };
  t.is(violation!.at, undefined);
  t.is(violationIn(new Error('outer', { cause: new Error('', { cause: verdict }) })), violation);
  const loop: { cause?: unknown } = {};
  loop.cause = loop;
  for (const other of [new Error('x'), 'text', null, undefined, { violation: 'speeding' }, loop])
    t.is(violationIn(other), undefined);
});
