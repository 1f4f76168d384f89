// Tests the factor that the demo derives from the lag of its event loop, on a manual clock: a jump
// of the clock is a lag.

import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { TimeScale } from './time-scale.ts';

function setUp() {
  const clock = createManualClock();
  const timeScale = new TimeScale(clock);
  timeScale.start();
  /** Blocks the event loop for `each` milliseconds, again and again, for `total` milliseconds. */
  const block = (each: number, total: number) => {
    for (let passed = 0; passed < total; passed += each) clock.jump(each);
  };
  return { clock, timeScale, block };
}

test('the factor is 1 as long as timers fire on time', (t) => {
  const { clock, timeScale } = setUp();
  t.is(timeScale.factor, 1);
  clock.advance(60_000);
  t.is(timeScale.factor, 1);
});

test('a single slow turn, or turns of 20 ms, leave the factor at 1', (t) => {
  const { clock, timeScale, block } = setUp();
  clock.advance(1_000);
  clock.jump(250);
  t.is(timeScale.factor, 1);
  block(20, 60_000);
  t.is(timeScale.factor, 1);
});

test('the factor grows in proportion to a lag that lasts, within seconds', (t) => {
  const lasting = (lag: number) => {
    const { timeScale, block } = setUp();
    block(10 + lag, 15_000);
    return timeScale.factor;
  };
  t.true(Math.abs(lasting(100) - 5) < 0.1, `${lasting(100)}`);
  t.true(Math.abs(lasting(200) - 10) < 0.2, `${lasting(200)}`);
  const { timeScale, block } = setUp();
  block(210, 1_000);
  t.true(timeScale.factor > 2, `${timeScale.factor} after one second`);
});

test('the factor returns to 1 when the lag has ended', (t) => {
  const { clock, timeScale, block } = setUp();
  block(210, 15_000);
  const before = timeScale.factor;
  clock.advance(3_000);
  t.true(timeScale.factor < before / 2 && timeScale.factor > 1, `${timeScale.factor}`);
  clock.advance(12_000);
  t.is(timeScale.factor, 1);
});

test('a process that was suspended for an hour has the largest factor, for seconds', (t) => {
  const { clock, timeScale } = setUp();
  clock.jump(3_600_000);
  t.is(timeScale.factor, 15);
  clock.advance(15_000);
  t.is(timeScale.factor, 1);
});

test('stop ends the measurement and keeps the factor; start continues it', (t) => {
  const { clock, timeScale, block } = setUp();
  block(210, 15_000);
  const { factor } = timeScale;
  timeScale.stop();
  timeScale.stop();
  t.is(clock.timers, 0);
  clock.advance(60_000);
  t.is(timeScale.factor, factor);
  timeScale.start();
  timeScale.start();
  t.is(clock.timers, 1);
  clock.advance(60_000);
  t.is(timeScale.factor, 1);
});
