// Tests of the checks of objects without a search: long histories, and random ones, which are
// compared with a search of all orders.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { checkObject } from './check-object.ts';
import type { QueueCommand, QueueResult, SetCommand, SetResult } from './commands.ts';
import { models, type ObjectModel } from './models.ts';
import { createObjectHistory, type ObjectCall } from './object-history.ts';

const enqueue = (value: string): QueueCommand => ({ op: 'enqueue', value });
const dequeue: QueueCommand = { op: 'dequeue' };

test('long histories of queues, bags and sets are decided without a search', (t) => {
  const queue = createObjectHistory<QueueCommand, QueueResult>();
  const set = createObjectHistory<SetCommand, SetResult>();
  const values = Array.from({ length: 5_000 }, (_, i) => `v${i}`);
  for (const [index, value] of values.entries()) {
    const lost = queue.call('p', enqueue(value));
    if (index % 100 === 0) lost.unknown();
    else lost.ok();
    set.call('p', { op: 'add', value }).ok();
    if (index % 500 === 0) set.call('r', { op: 'read' }).ok(values.slice(0, index + 1));
  }
  for (const value of values) queue.call('c', dequeue).ok(value);
  queue.call('c', dequeue).ok(null);
  const passed = checkObject(queue, models.queue());
  t.deepEqual(passed, { linearizable: true, configurations: 0 });
  t.true(checkObject(queue, models.bag()).linearizable);
  t.true(checkObject(set, models.set()).linearizable);
  queue.call('c', dequeue).ok('v77');
  set.call('r', { op: 'read' }).ok(values.slice(1));
  t.true(textOf(checkObject(queue, models.queue())).endsWith('\nv77 was dequeued twice'));
  t.true(textOf(checkObject(queue, models.bag())).endsWith('\nv77 was dequeued twice'));
  t.true(
    textOf(checkObject(set, models.set())).endsWith(
      '\neach of two reads misses a value of the other one',
    ),
  );
});

test('a read that shows a value twice is wrong, also in place of a missing one', (t) => {
  for (const values of [
    ['a', 'a', 'c'],
    ['a', 'a', 'b'],
  ]) {
    const history = createObjectHistory<SetCommand, SetResult>();
    const add = (value: string) => history.call('p', { op: 'add', value });
    add('a').ok();
    const [b, c] = [add('b'), add('c')];
    history.call('r', { op: 'read' }).ok(values.includes('b') ? ['a'] : ['a', 'b']);
    history.call('r', { op: 'read' }).ok(values);
    b.ok();
    c.ok();
    t.is(models.set().decide!(history.calls)!.reason, 'a value was read twice');
  }
});

test('a queue with dequeues of unknown outcome is wrong if the others show it', (t) => {
  const history = createObjectHistory<QueueCommand, QueueResult>();
  for (const value of ['a', 'b', 'c', 'd']) history.call('p', enqueue(value)).ok();
  history.call('c', dequeue).unknown();
  history.call('c', dequeue).ok('c');
  t.is(models.queue().decide!(history.calls), undefined);
  history.call('c', dequeue).ok('b');
  t.is(
    models.queue().decide!(history.calls)!.reason,
    'c was dequeued before b, which had been enqueued before it',
  );
  t.is(models.bag().decide!(history.calls), undefined);
});

const textOf = (verdict: object): string => (verdict as { text?: string }).text ?? '';

for (const model of [
  models.queue(),
  models.bag(),
  models.set(),
  models.counter(),
] as readonly ObjectModel<any, any, any>[]) {
  test(`no verdict on small random histories is wrong: ${model.name}`, (t) => {
    const random = seededRandom(model.name.length);
    const counts = { true: 0, false: 0, decided: 0 };
    for (let round = 0; round < 4_000; round++) {
      const calls = randomCalls(model.name, random);
      const verdict = checkObject(calls, model);
      const expected = isOrdered(calls, model, model.initial);
      if (verdict.linearizable !== expected)
        return t.fail(`round ${round}: ${textOf(verdict)}\n${JSON.stringify(calls)}`);
      counts[`${expected}`]++;
      const pattern = model.decide?.(calls);
      if (pattern === undefined) continue;
      counts.decided++;
      if ((pattern.calls.length === 0) !== expected) return t.fail(pattern.reason);
      if (
        model.name !== 'set' &&
        pattern.calls.length > 0 &&
        isOrdered(pattern.calls, model, model.initial) &&
        model.name !== 'counter'
      )
        return t.fail(`no counter-example: ${pattern.reason}\n${JSON.stringify(calls)}`);
    }
    t.true(counts.true > 300 && counts.false > 300 && counts.decided > 300, JSON.stringify(counts));
  });
}

/** Tries all orders. */
function isOrdered(
  left: readonly ObjectCall<any, any>[],
  model: ObjectModel<any, any, any>,
  state: unknown,
): boolean {
  if (left.every(({ outcome }) => outcome !== 'ok')) return true;
  return left.some(
    (call) =>
      call.outcome !== 'failed' &&
      !left.some((other) => other.outcome === 'ok' && other.returned! < call.called) &&
      model.step(state, call).some((after) =>
        isOrdered(
          left.filter((other) => other !== call),
          model,
          after,
        ),
      ),
  );
}

/** Returns up to six calls of three clients, whose results a correct object or chance gives. */
function randomCalls(name: string, random: () => number): ObjectCall<any, any>[] {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
  const history = createObjectHistory<any, any>();
  const open: (() => void)[] = [];
  const added: string[] = [];
  let sum = 0;
  const unknown = pick([0, 0, 0.2]);
  for (let calls = 2 + Math.floor(random() * 5); calls > 0 || open.length > 0; ) {
    if (calls === 0 || open.length === 3 || (open.length > 0 && random() < 0.5)) {
      open.splice(Math.floor(random() * open.length), 1)[0]!();
      continue;
    }
    calls--;
    const isPut = random() < 0.5;
    const value = `${added.length}`;
    const command =
      name === 'counter'
        ? isPut
          ? { op: 'add', by: pick([1, 1, 2, -1]) }
          : { op: 'read' }
        : name === 'set'
          ? isPut
            ? { op: 'add', value }
            : { op: 'read' }
          : isPut
            ? { op: 'enqueue', value }
            : { op: 'dequeue' };
    const call = history.call(`c${calls}`, command);
    if (isPut) added.push(value);
    sum += (command as { by?: number }).by ?? 0;
    open.push(() => {
      if (random() < unknown) return call.unknown();
      if (isPut) return call.ok();
      if (name === 'counter') return call.ok(pick([0, 1, sum, sum, sum - 1]));
      if (name === 'set') return call.ok(added.filter(() => random() < 0.8));
      return call.ok(pick([...added, null]));
    });
  }
  return [...history.calls];
}
