// Tests of the deadline timer, the one timer of a transport.

import test from 'ava';
import { createManualClock } from '../manual-clock.ts';
import { DeadlineTimer } from './transport-resources.ts';

/** Creates a timer that logs its rings and excuses; `next` is the time that `ring` returns. */
function scene() {
  const clock = createManualClock(0);
  const log: string[] = [];
  const state = { next: Number.POSITIVE_INFINITY };
  const timer = new DeadlineTimer(
    clock,
    (now) => {
      log.push(`ring ${now}`);
      return state.next;
    },
    (lateness) => void log.push(`excuse ${lateness}`),
  );
  return { clock, log, state, timer };
}

test('a deadline timer fires at the earliest requested time, with one timer', (t) => {
  const { clock, log, timer } = scene();
  timer.by(100);
  timer.by(50);
  timer.by(70);
  t.is(clock.timers, 1);
  clock.advance(49);
  t.deepEqual(log, []);
  clock.advance(1);
  t.deepEqual(log, ['ring 50']);
  t.is(clock.timers, 0);
});

test('a firing returns the next time', (t) => {
  const { clock, log, timer, state } = scene();
  state.next = 130;
  timer.by(100);
  clock.advance(100);
  state.next = Number.POSITIVE_INFINITY;
  clock.advance(1_000);
  t.deepEqual(log, ['ring 100', 'ring 130']);
});

test('a time requested while it fires counts', (t) => {
  const clock = createManualClock(0);
  const rings: number[] = [];
  const timer: DeadlineTimer = new DeadlineTimer(
    clock,
    (now) => {
      rings.push(now);
      if (rings.length === 1) timer.by(110);
      return rings.length === 1 ? 200 : Number.POSITIVE_INFINITY;
    },
    () => {},
  );
  timer.by(100);
  clock.advance(1_000);
  t.deepEqual(rings, [100, 110]);
});

test('after waking more than 500 ms late, it excuses and reads before it fires', (t) => {
  const { clock, log, timer } = scene();
  timer.by(100);
  clock.jump(601);
  t.deepEqual(log, ['excuse 501']);
  clock.advance(1);
  t.deepEqual(log, ['excuse 501', 'ring 602']);
});

test('500 ms is not late yet', (t) => {
  const { clock, log, timer } = scene();
  timer.by(100);
  clock.jump(600);
  t.deepEqual(log, ['ring 600']);
});

test('a time in the past fires at once and excuses nobody', (t) => {
  const { clock, log, timer } = scene();
  clock.advance(10_000);
  timer.by(1_000);
  clock.advance(0);
  t.deepEqual(log, ['ring 10000']);
});

test('a stopped one has no timer and does not fire again', (t) => {
  const { clock, log, timer } = scene();
  timer.by(100);
  timer.stop();
  timer.by(10);
  t.is(clock.timers, 0);
  clock.advance(1_000);
  t.deepEqual(log, []);
});

test('a timer that is stopped by its own ring stays stopped', (t) => {
  const clock = createManualClock(0);
  const timer: DeadlineTimer = new DeadlineTimer(
    clock,
    () => {
      timer.stop();
      return 500;
    },
    () => {},
  );
  timer.by(100);
  clock.advance(1_000);
  t.is(clock.timers, 0);
});
