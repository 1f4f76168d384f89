// Tests the clock of the demo on a manual clock, whose jumps are long turns of the event loop.

import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { createLoopClock } from './clock.ts';

function setUp() {
  const base = createManualClock();
  return { base, clock: createLoopClock(base) };
}

test('without long turns the clock runs like its base', (t) => {
  const { base, clock } = setUp();
  const fired: number[] = [];
  clock.setTimeout(() => fired.push(clock.now()), 100);
  clock.clearTimeout(clock.setTimeout(() => t.fail(), 50));
  base.advance(99);
  t.deepEqual(fired, []);
  base.advance(901);
  t.deepEqual(fired, [100]);
  t.is(clock.now(), 1_000);
});

test('a long turn counts as 20 ms, so a timeout of 200 ms lasts at least ten of them', (t) => {
  const { base, clock } = setUp();
  let turns = 0;
  let isDue = false;
  clock.setTimeout(() => (isDue = true), 200);
  for (; !isDue; turns++) base.jump(250);
  t.true(turns >= 10 && turns <= 12, `${turns} turns`);
});

test('sleep ends at its time, or when its signal aborts', async (t) => {
  const { base, clock } = setUp();
  const end = new AbortController();
  const [short, long] = [clock.sleep(10), clock.sleep(1_000, end.signal)];
  base.advance(10);
  await short;
  end.abort(new Error('enough'));
  await t.throwsAsync(long, { message: 'enough' });
  await t.throwsAsync(clock.sleep(1, end.signal), { message: 'enough' });
});
