// Tests of the manual clock.

import test from 'ava';
import { createManualClock } from './manual-clock.ts';

function setUp(start?: number) {
  const clock = createManualClock(start);
  const log: [string, number][] = [];
  const note = (name: string) => () => void log.push([name, clock.now()]);
  return { clock, log, note };
}

test('time stands still until it is moved', (t) => {
  t.is(createManualClock().now(), 1_000);
  const clock = createManualClock(5);
  t.is(clock.now(), 5);
  clock.advance(2.5);
  t.is(clock.now(), 7.5);
});

test('timers run at their own times, in order of due time, then of creation', (t) => {
  const { clock, log, note } = setUp(0);
  clock.setTimeout(note('late'), 30);
  clock.setTimeout(note('early'), 10);
  clock.setTimeout(note('also early'), 10);
  clock.setTimeout(note('never'), 41);
  clock.advance(40);
  t.deepEqual(log, [
    ['early', 10],
    ['also early', 10],
    ['late', 30],
  ]);
  t.is(clock.now(), 40);
  t.is(clock.nextDue, 41);
  t.is(clock.timers, 1);
});

test('timers created within the span run in it', (t) => {
  const { clock, log, note } = setUp(0);
  clock.setTimeout(() => {
    note('first')();
    clock.setTimeout(note('second'), 5);
    clock.setTimeout(note('beyond'), 50);
  }, 10);
  clock.advance(20);
  t.deepEqual(log, [
    ['first', 10],
    ['second', 15],
  ]);
});

test('a stopped timer does not run; stopping it twice, or after it ran, does nothing', (t) => {
  const { clock, log, note } = setUp(0);
  const stopped = clock.setTimeout(note('stopped'), 1);
  const ran = clock.setTimeout(note('ran'), 1);
  clock.clearTimeout(stopped);
  clock.clearTimeout(stopped);
  clock.advance(1);
  clock.clearTimeout(ran);
  t.deepEqual(log, [['ran', 1]]);
  t.is(clock.timers, 0);
  t.is(clock.nextDue, undefined);
});

test('a delay below 0 is 0', (t) => {
  const { clock, log, note } = setUp(0);
  clock.setTimeout(note('now'), -5);
  clock.advance(0);
  t.deepEqual(log, [['now', 0]]);
});

test('a delay above 24.8 days is 24.8 days', (t) => {
  const { clock, log, note } = setUp(0);
  clock.setTimeout(note('never'), Number.POSITIVE_INFINITY);
  t.is(clock.nextDue, 2 ** 31 - 1);
  clock.advance(2 ** 31 - 1);
  t.deepEqual(log, [['never', 2 ** 31 - 1]]);
});

test('defer and turn call the function of the runtime without an object, as browsers demand', async (t) => {
  const { queueMicrotask } = globalThis;
  globalThis.queueMicrotask = function (this: unknown, callback) {
    if (this !== undefined && this !== globalThis) throw new TypeError('Illegal invocation');
    queueMicrotask(callback);
  };
  t.teardown(() => void (globalThis.queueMicrotask = queueMicrotask));
  // Another instance of the module, which takes the function above.
  const path = './manual-clock.js?browser';
  const clock = ((await import(path)) as typeof import('./manual-clock.ts')).createManualClock();
  await new Promise<void>((resolve) => clock.defer(resolve));
  await new Promise<void>((resolve) => clock.turn!(resolve));
  t.pass();
});

test('after a jump overdue timers run late, in order, and timers that they create wait', (t) => {
  const { clock, log, note } = setUp(0);
  clock.setTimeout(() => {
    note('due at 20')();
    clock.setTimeout(note('made in the jump'), 0);
  }, 20);
  clock.setTimeout(note('due at 10'), 10);
  clock.setTimeout(note('not due'), 101);
  clock.jump(100);
  t.deepEqual(log, [
    ['due at 10', 100],
    ['due at 20', 100],
  ]);
  clock.advance(0);
  t.deepEqual(log.at(-1), ['made in the jump', 100]);
});

test('time does not go back if a timer advances the clock further', (t) => {
  const { clock } = setUp(0);
  clock.setTimeout(() => clock.advance(100), 5);
  clock.advance(10);
  t.is(clock.now(), 105);
});

test('time does not go back by a negative number of milliseconds', (t) => {
  const { clock } = setUp(0);
  clock.advance(-5);
  clock.jump(-5);
  t.is(clock.now(), 0);
});

test('a microtask of a timer runs after the last timer of the same advance', async (t) => {
  const { clock, log, note } = setUp(0);
  clock.setTimeout(() => clock.defer(note('deferred')), 10);
  clock.setTimeout(note('timer'), 20);
  clock.advance(30);
  await null;
  t.deepEqual(log, [
    ['timer', 20],
    ['deferred', 30],
  ]);
});

test('defer runs after the current code and before any timer', async (t) => {
  const { clock, log, note } = setUp(0);
  clock.setTimeout(note('timer'), 0);
  clock.defer(note('deferred'));
  note('now')();
  await null;
  clock.advance(0);
  t.is(log.map(([name]) => name).join(), 'now,deferred,timer');
});
