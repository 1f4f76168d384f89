// Tests of the check for queues, bags, sets, counters and locks: histories that a correct object
// gives, and planted violations.

import test from 'ava';
import { checkObject } from './check-object.ts';
import type {
  CounterCommand,
  QueueCommand,
  QueueResult,
  SetCommand,
  SetResult,
} from './commands.ts';
import { models, type ObjectModel } from './models.ts';
import { createObjectHistory, type ObjectHistory } from './object-history.ts';

/** A step of a test's history: a client, a command, and its result; `null` leaves it unanswered. */
type Line<C, R> = readonly [client: string, command: C, result?: R | 'fails' | 'unknown'];

/** Returns a history of calls that do not overlap. */
function inTurn<C, R>(...lines: readonly Line<C, R>[]): ObjectHistory<C, R> {
  const history = createObjectHistory<C, R>();
  for (const [client, command, result] of lines) {
    const call = history.call(client, command);
    if (result === 'fails') call.fail();
    else if (result === 'unknown') call.unknown();
    else call.ok(result);
  }
  return history;
}

const enqueue = (value: string): QueueCommand => ({ op: 'enqueue', value });
const dequeue: QueueCommand = { op: 'dequeue' };

test('a queue gives its values in order, each once', (t) => {
  const good = inTurn<QueueCommand, any>(
    ['a', enqueue('1')],
    ['b', enqueue('2')],
    ['a', enqueue('3'), 'fails'],
    ['c', dequeue, '1'],
    ['a', dequeue, '2'],
    ['a', dequeue, null],
  );
  t.true(checkObject(good, models.queue()).linearizable);
  const verdict = checkObject(
    inTurn<QueueCommand, any>(['a', enqueue('1')], ['b', enqueue('2')], ['c', dequeue, '2']),
    models.queue(),
  );
  t.false(verdict.linearizable);
  t.is(
    'text' in verdict ? verdict.text : '',
    `the queue is not linearizable: client, command -> result, [call..return]
  a  enqueue "1" -> ok  [1..2]
  b  enqueue "2" -> ok  [3..4]
  c  dequeue -> "2"  [5..6]   <- cannot be explained
when c  dequeue -> "2"  [5..6] returned, the queue was ["1","2"], in every order that explains the calls before it`,
  );
});

/** Histories of calls one after the other, such as `a enqueue 1; b dequeue = 1`. */
const violations: readonly (readonly [model: keyof typeof models, title: string, text: string])[] =
  [
    ['queue', 'a queue that gives a value twice', 'a enqueue 1; b dequeue = 1; c dequeue = 1'],
    ['queue', 'a queue that loses a value', 'a enqueue 1; b dequeue = null'],
    ['queue', 'a queue that gives what nobody put in', 'a enqueue 1; b dequeue = 2'],
    ['queue', 'a queue that gives what failed to get in', 'a enqueue 1 fails; b dequeue = 1'],
    ['bag', 'a bag that gives a value twice', 'a enqueue 1; b dequeue = 1; c dequeue = 1'],
    [
      'bag',
      'a bag that is empty though it holds a value',
      'a enqueue 1; a enqueue 2; b dequeue = 2; b dequeue = null',
    ],
    ['set', 'a set that loses a value', 'a add 1; a add 2; b read = ["2"]'],
    ['set', 'a set that brings a value back', 'a add 1; a remove 1 = true; b has 1 = true'],
    ['set', 'a set that adds a value twice', 'a add 1 = true; b add 1 = true'],
    ['counter', 'a counter that loses an addition', 'a add 2; b add 3; a read = 3'],
    ['counter', 'a counter that adds twice', 'a add 2; a read = 4'],
    ['counter', 'a counter that gives the same number twice', 'a add 1 = 1; b add 1 = 1'],
    ['lock', 'a lock with two holders', 'a acquire = true; b acquire = true'],
    ['lock', 'a lock that another client releases', 'a acquire = true; b release'],
    [
      'lock',
      'a lock that is refused though it is free',
      'a acquire = true; a release; b acquire = false',
    ],
    ['lock', 'a fencing token that goes back', 'a acquire = 7; a release; b acquire = 7'],
  ];

for (const [name, title, text] of violations) {
  test(`${title} is found, and so is the call that shows it`, (t) => {
    const model: ObjectModel<any, any, any> = models[name]();
    const lines = text.split('; ').map((line): Line<any, any> => {
      const [, client, op, argument, fails, result] =
        /^(\w) (\w+) ?(\d)?( fails)?(?: = (.*))?$/.exec(line)!;
      const value = name === 'counter' ? { by: Number(argument) } : { value: argument };
      const command = argument === undefined ? { op } : { op, ...value };
      const isQueue = name === 'queue' || name === 'bag';
      const answer = result === undefined ? undefined : JSON.parse(result);
      return [client!, command, fails ? 'fails' : isQueue && answer ? `${answer}` : answer];
    });
    const history = inTurn(...lines);
    const verdict = checkObject(history, model);
    t.false(verdict.linearizable);
    t.is('culprit' in verdict ? verdict.culprit : undefined, history.calls.at(-1));
  });
}

test('calls that overlap may take effect in any order, and unknown ones later or never', (t) => {
  const history = createObjectHistory<CounterCommand, number>();
  const add = history.call('a', { op: 'add', by: 1 });
  history.call('b', { op: 'read' }).ok(0);
  history.call('b', { op: 'read' }).ok(1);
  add.ok();
  const lost = history.call('c', { op: 'add', by: 10 });
  lost.unknown();
  history.call('b', { op: 'read' }).ok(1);
  t.true(checkObject(history, models.counter()).linearizable);
  history.call('b', { op: 'read' }).ok(11);
  t.true(checkObject(history, models.counter()).linearizable);
  history.call('b', { op: 'read' }).ok(1);
  t.false(checkObject(history, models.counter()).linearizable);
});

test('the default limit ends a search after a few seconds', (t) => {
  const { linearizable, configurations } = checkObject(wrongWithin(18), models.counter());
  t.is(linearizable, undefined);
  t.true(configurations < 200_000);
});

test('objects with different names are judged separately, and the failing one is named', (t) => {
  const history = inTurn<QueueCommand, any>(
    ['a', { op: 'enqueue', object: 'x', value: '1' }],
    ['a', { op: 'dequeue', object: 'y' }, null],
    ['a', { op: 'dequeue', object: 'x' }, null],
  );
  const verdict = checkObject(history, models.queue());
  t.regex(
    'text' in verdict ? verdict.text : '',
    /^the queue x is not linearizable: .*\n {2}a {2}enqueue x "1" -> ok/,
  );
});

/** A counter with an odd read between its bounds, and even additions of unknown outcome. */
const wrongWithin = (additions: number) =>
  inTurn<CounterCommand, any>(
    ['a', { op: 'add', by: 2 }],
    ...Array.from(
      { length: additions },
      (_, i) => ['a', { op: 'add', by: 2 ** i * 2 }, 'unknown'] as const,
    ),
    ['a', { op: 'read' }, 1001],
  );

test('at the limit the verdict is undefined, and says what is known', (t) => {
  const history = wrongWithin(12);
  const verdict = checkObject(history, models.counter(), { limit: 100 });
  t.is(verdict.linearizable, undefined);
  t.regex(
    'text' in verdict ? verdict.text : '',
    /^undecided: the counter needs more than 100 configurations: some order explains the first 1 of its 2 completed calls, and 12 calls of unknown outcome multiply the orders/,
  );
  t.false(checkObject(history, models.counter()).linearizable);
});

test('the limit counts the size of states, so it bounds memory', (t) => {
  const history = createObjectHistory<QueueCommand, QueueResult>();
  for (let i = 0; i < 300; i++) history.call('a', enqueue(`${i}`)).ok();
  history.call('b', dequeue).unknown();
  for (let i = 1; i < 300; i++) history.call('b', dequeue).ok(`${i}`);
  t.true(checkObject(history, models.queue()).linearizable);
  t.is(checkObject(history, models.queue(), { limit: 2_000 }).linearizable, undefined);
});

test('a set whose values are looked up one by one is judged value by value', (t) => {
  const history = createObjectHistory<SetCommand, SetResult>();
  const values = Array.from({ length: 2_000 }, (_, i) => `v${i}`);
  for (const value of values) history.call('a', { op: 'add', value }).unknown();
  for (const value of values) history.call('a', { op: 'has', value }).ok(value !== 'v7');
  t.true(checkObject(history, models.set(), { limit: 10 }).linearizable);
  history.call('a', { op: 'remove', value: 'v8' }).ok(true);
  history.call('a', { op: 'has', value: 'v8' }).ok(true);
  const verdict = checkObject(history, models.set(), { limit: 10 });
  t.regex(textOf(verdict), /the set was \[\], in every order/);
});

test('unknown calls that are interchangeable multiply nothing', (t) => {
  const lines = Array.from(
    { length: 60 },
    (_, i) => [`c${i}`, { op: 'add', by: 1 }, 'unknown'] as const,
  );
  const history = inTurn<CounterCommand, any>(
    ...lines,
    ['a', { op: 'read' }, 30],
    ['a', { op: 'read' }, 29],
  );
  const verdict = checkObject(history, models.counter(), { limit: 1_000 });
  t.false(verdict.linearizable);
});

const textOf = (verdict: object): string => (verdict as { text?: string }).text ?? '';

test('a dequeue without a result is refused, because it could hide a lost value', (t) => {
  for (const model of [models.queue(), models.bag()]) {
    const values = new Map<string, string>();
    const history = createObjectHistory<QueueCommand, QueueResult>();
    history.call('a', enqueue('1')).ok();
    history.call('b', dequeue).ok(values.get('lost'));
    t.throws(() => checkObject(history, model), {
      instanceOf: TypeError,
      message: /pass the value to ok\(\), or null if the queue was empty/,
    });
    const unknown = inTurn<QueueCommand, any>(['a', enqueue('1')], ['b', dequeue, 'unknown']);
    t.true(checkObject(unknown, model).linearizable, model.name);
  }
});

test('a second answer to a call throws a TypeError', (t) => {
  const history = createObjectHistory<string, string>();
  const call = history.call('a', 'x');
  call.ok('1');
  t.throws(() => call.fail(), {
    instanceOf: TypeError,
    message: /call 1 of the history, by a, already has an outcome: ok/,
  });
  t.deepEqual(history.calls[0], {
    client: 'a',
    command: 'x',
    outcome: 'ok',
    result: '1',
    called: 1,
    returned: 2,
    calledAt: undefined,
    returnedAt: undefined,
  });
});
