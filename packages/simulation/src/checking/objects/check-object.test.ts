// Tests of the check for queues, bags, sets, counters and locks: histories that a correct object
// gives, and planted violations.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { checkObject } from './check-object.ts';
import type {
  CounterCommand,
  LockCommand,
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

const violations: readonly (readonly [
  title: string,
  model: ObjectModel<any, any, any>,
  history: ObjectHistory<any, any>,
])[] = [
  [
    'a queue that gives a value twice',
    models.queue(),
    inTurn<QueueCommand, any>(['a', enqueue('1')], ['b', dequeue, '1'], ['c', dequeue, '1']),
  ],
  [
    'a queue that loses a value',
    models.queue(),
    inTurn<QueueCommand, any>(['a', enqueue('1')], ['b', dequeue, null]),
  ],
  [
    'a queue that gives what nobody put in',
    models.queue(),
    inTurn<QueueCommand, any>(['a', enqueue('1')], ['b', dequeue, '2']),
  ],
  [
    'a queue that gives what failed to get in',
    models.queue(),
    inTurn<QueueCommand, any>(['a', enqueue('1'), 'fails'], ['b', dequeue, '1']),
  ],
  [
    'a bag that gives a value twice',
    models.bag(),
    inTurn<QueueCommand, any>(['a', enqueue('1')], ['b', dequeue, '1'], ['c', dequeue, '1']),
  ],
  [
    'a bag that is empty though it holds a value',
    models.bag(),
    inTurn<QueueCommand, any>(
      ['a', enqueue('1')],
      ['a', enqueue('2')],
      ['b', dequeue, '2'],
      ['b', dequeue, null],
    ),
  ],
  [
    'a set that loses a value',
    models.set(),
    inTurn<SetCommand, any>(
      ['a', { op: 'add', value: '1' }],
      ['a', { op: 'add', value: '2' }],
      ['b', { op: 'read' }, ['2']],
    ),
  ],
  [
    'a set that brings a value back',
    models.set(),
    inTurn<SetCommand, any>(
      ['a', { op: 'add', value: '1' }],
      ['a', { op: 'remove', value: '1' }, true],
      ['b', { op: 'has', value: '1' }, true],
    ),
  ],
  [
    'a set that adds a value twice',
    models.set(),
    inTurn<SetCommand, any>(
      ['a', { op: 'add', value: '1' }, true],
      ['b', { op: 'add', value: '1' }, true],
    ),
  ],
  [
    'a counter that loses an addition',
    models.counter(),
    inTurn<CounterCommand, any>(
      ['a', { op: 'add', by: 2 }],
      ['b', { op: 'add', by: 3 }],
      ['a', { op: 'read' }, 3],
    ),
  ],
  [
    'a counter that adds twice',
    models.counter(),
    inTurn<CounterCommand, any>(['a', { op: 'add', by: 2 }], ['a', { op: 'read' }, 4]),
  ],
  [
    'a counter that gives the same number twice',
    models.counter(),
    inTurn<CounterCommand, any>(['a', { op: 'add', by: 1 }, 1], ['b', { op: 'add', by: 1 }, 1]),
  ],
  [
    'a lock with two holders',
    models.lock(),
    inTurn<LockCommand, any>(['a', { op: 'acquire' }, true], ['b', { op: 'acquire' }, true]),
  ],
  [
    'a lock that another client releases',
    models.lock(),
    inTurn<LockCommand, any>(['a', { op: 'acquire' }, true], ['b', { op: 'release' }]),
  ],
  [
    'a lock that is refused though it is free',
    models.lock(),
    inTurn<LockCommand, any>(
      ['a', { op: 'acquire' }, true],
      ['a', { op: 'release' }],
      ['b', { op: 'acquire' }, false],
    ),
  ],
  [
    'a fencing token that goes back',
    models.lock(),
    inTurn<LockCommand, any>(
      ['a', { op: 'acquire' }, 7],
      ['a', { op: 'release' }],
      ['b', { op: 'acquire' }, 7],
    ),
  ],
];

for (const [title, model, history] of violations) {
  test(`${title} is found, and so is the call that shows it`, (t) => {
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

/** Runs clients against a correct queue; each call takes effect between its call and its answer. */
function randomQueue(seed: number, length: number): ObjectHistory<QueueCommand, string | null> {
  const random = seededRandom(seed);
  const history = createObjectHistory<QueueCommand, string | null>();
  const queue: string[] = [];
  const open: { effect?: () => void; answer: () => void }[] = [];
  for (let i = 0; i < length || open.length > 0; ) {
    if (i < length && (open.length === 0 || (open.length < 5 && random() < 0.5))) {
      const value = String(++i);
      if (random() < 0.5) {
        const call = history.call(`c${i}`, enqueue(value));
        const outcome = random();
        open.push({
          effect: () => void (outcome < 0.9 && queue.push(value)),
          answer: () => (outcome < 0.9 ? call.ok() : outcome < 0.95 ? call.fail() : call.unknown()),
        });
      } else {
        const call = history.call(`c${i}`, dequeue);
        let taken: string | null = null;
        open.push({
          effect: () => {
            taken = queue.shift() ?? null;
          },
          answer: () => call.ok(taken),
        });
      }
      continue;
    }
    const place = Math.floor(random() * open.length);
    const each = open[place]!;
    if (each.effect !== undefined) {
      each.effect();
      delete each.effect;
    } else {
      each.answer();
      open.splice(place, 1);
    }
  }
  return history;
}

test('histories of a correct queue pass, and fail once two results are exchanged', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const history = randomQueue(seed, 300);
    t.true(checkObject(history, models.queue()).linearizable, `seed ${seed}`);
    const calls = [...history.calls];
    const taken = calls.flatMap(({ result }, index) => (typeof result === 'string' ? [index] : []));
    const [first, last] = [taken[0]!, taken.at(-1)!];
    calls[first] = { ...calls[first]!, result: history.calls[last]!.result };
    calls[last] = { ...calls[last]!, result: history.calls[first]!.result };
    t.false(checkObject(calls, models.queue()).linearizable, `seed ${seed}, exchanged`);
  }
});
