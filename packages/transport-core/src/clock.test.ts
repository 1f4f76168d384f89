// Tests of `sleepOn`, the shared implementation of a clock's `sleep`.

import { getEventListeners } from 'node:events';
import test from 'ava';
import { sleepOn } from './clock.ts';
import { createManualClock } from './manual-clock.ts';

test('sleep resolves when its time is over, and leaves no listener', async (t) => {
  const clock = createManualClock();
  const { signal } = new AbortController();
  const slept = sleepOn(clock, 50, signal);
  t.is(getEventListeners(signal, 'abort').length, 1);
  t.is(clock.nextDue, clock.now() + 50);
  clock.advance(50);
  await slept;
  t.is(getEventListeners(signal, 'abort').length, 0);
});

test('a signal that aborts ends the sleep with its reason, and leaves no timer', async (t) => {
  const clock = createManualClock();
  const controller = new AbortController();
  const slept = sleepOn(clock, 50, controller.signal);
  const reason = new Error('enough');
  controller.abort(reason);
  t.is(await t.throwsAsync(slept), reason);
  t.is(clock.timers, 0);
});

test('sleep rejects at once under an aborted signal', async (t) => {
  const clock = createManualClock();
  const reason = new Error('before');
  t.is(await t.throwsAsync(sleepOn(clock, 50, AbortSignal.abort(reason))), reason);
  t.is(clock.timers, 0);
});
