// Tests of recording a history.

import test from 'ava';
import { typeError } from '../testing/type-error.ts';
import { createHistory, type OperationCommand } from './history.ts';

test('operations are recorded in order of call, and calls and answers share their numbers', (t) => {
  const clock = { now: 5 };
  const history = createHistory(clock);
  const set = history.call('c1', { key: 'x', op: 'set', value: 'a' });
  const get = history.call('c2', { key: 'x', op: 'get' });
  get.ok('a');
  clock.now = 9;
  set.ok();
  t.deepEqual(JSON.parse(JSON.stringify(history.operations)), [
    {
      key: 'x',
      op: 'set',
      value: 'a',
      client: 'c1',
      outcome: 'ok',
      called: 1,
      calledAt: 5,
      returned: 4,
      returnedAt: 9,
    },
    {
      key: 'x',
      op: 'get',
      client: 'c2',
      outcome: 'ok',
      called: 2,
      calledAt: 5,
      returned: 3,
      returnedAt: 5,
      result: 'a',
    },
  ]);
});

test('an operation is open until it is answered with ok, failed or unknown', (t) => {
  const history = createHistory();
  const handles = ['a', 'b', 'c', 'd'].map((key) => history.call('c', { key, op: 'delete' }));
  handles[0]!.ok(true);
  handles[1]!.fail();
  handles[2]!.unknown();
  t.deepEqual(
    history.operations.map(({ outcome }) => outcome),
    ['ok', 'failed', 'unknown', 'open'],
  );
});

test('a second answer throws a TypeError and changes nothing', (t) => {
  const history = createHistory();
  for (const first of ['ok', 'fail', 'unknown'] as const) {
    for (const second of ['ok', 'fail', 'unknown'] as const) {
      const handle = history.call('c1', { key: 'x', op: 'get' });
      handle[first]();
      const before = { ...history.operations.at(-1)! };
      t.throws(() => handle[second](), typeError(/get x of c1 already has an outcome/));
      t.deepEqual({ ...history.operations.at(-1)! }, before);
    }
  }
});

test('an invalid result throws a TypeError, and the operation stays open', (t) => {
  const history = createHistory();
  const wrong: [OperationCommand, unknown][] = [
    [{ key: 'x', op: 'get' }, true],
    [{ key: 'x', op: 'get' }, null],
    [{ key: 'x', op: 'set', value: 'a' }, true],
    [{ key: 'x', op: 'delete' }, 'a'],
    [{ key: 'x', op: 'cas', expected: undefined, value: 'a' }, undefined],
  ];
  for (const [command, result] of wrong) {
    const handle = history.call('c', command);
    t.throws(() => handle.ok(result as undefined), typeError(/cannot result in/));
    t.is(history.operations.at(-1)!.outcome, 'open');
    handle.fail();
  }
  t.throws(
    () => history.call('c', { key: 'x', op: 'put' } as unknown as OperationCommand),
    typeError(/op must be one of/),
  );
});
