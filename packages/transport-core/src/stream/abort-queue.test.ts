// Tests that the handlers of a lost connection are notified over several turns.

import test from 'ava';
import { createManualClock } from '../manual-clock.ts';
import type { InCall } from '../session/incoming-calls.ts';
import { CANCEL_TOLD, TURN } from '../session/session-context.ts';
import { AbortQueue, ReadScheduler } from './transport-resources.ts';

const AT_ONCE = TURN / CANCEL_TOLD;

/** Creates a queue whose turns the test ends, and calls that count their notifications. */
function setUp(amount: number) {
  const ends: (() => void)[] = [];
  const turn = (callback: () => void) => void ends.push(callback);
  const scheduler = new ReadScheduler({ ...createManualClock(0), turn });
  const told: number[] = [];
  const calls = Array.from(
    { length: amount },
    (_, at) => ({ running: 1, tell: () => void told.push(at) }) as unknown as InCall,
  );
  return { queue: new AbortQueue(scheduler), scheduler, ends, told, calls };
}

test('a few handlers are told at once', (t) => {
  const { queue, told, calls, ends } = setUp(5);
  queue.add(calls);
  t.deepEqual(told, [0, 1, 2, 3, 4]);
  t.is(ends.length, 0);
});

test('many handlers are told in order, as many in a turn as it has units for', (t) => {
  const { queue, told, calls, ends } = setUp(2 * AT_ONCE + 3);
  queue.add(calls.slice(0, AT_ONCE + 1));
  t.is(told.length, AT_ONCE);
  queue.add(calls.slice(AT_ONCE + 1));
  t.is(told.length, AT_ONCE, 'those of another connection wait behind them');
  ends.shift()!();
  t.is(told.length, 2 * AT_ONCE);
  ends.shift()!();
  t.deepEqual(told, [...calls.keys()]);
  ends.shift()?.();
  t.is(ends.length, 0);
});

test('a turn that several connections share notifies half as many, and leaves them their units', (t) => {
  const { queue, scheduler, told, calls, ends } = setUp(AT_ONCE);
  scheduler.spend(TURN, { goOn() {} });
  scheduler.spend(1, { goOn() {} });
  ends.shift()!();
  queue.add(calls);
  t.is(told.length, AT_ONCE / 2);
  t.is(scheduler.allowance, TURN / 2);
});

test('a handler that ends while it waits to be told is not told', (t) => {
  const { queue, told, calls, ends } = setUp(AT_ONCE + 2);
  queue.add(calls);
  calls.at(-1)!.running = 0;
  ends.shift()!();
  t.is(told.length, AT_ONCE + 1);
});

test('when the transport has closed, all remaining handlers are told at once', (t) => {
  const { queue, told, calls } = setUp(5 * AT_ONCE);
  queue.add(calls);
  queue.finish();
  t.is(told.length, 5 * AT_ONCE);
});
