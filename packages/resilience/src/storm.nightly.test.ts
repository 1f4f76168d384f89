// A retry storm does not happen: after a failure, the rate of attempts returns to its former level.
// A run with the same failure but without the throttle shows that the test would detect a storm.

import test from './testing/serial.ts';
import { mean, ratioAfter, runStorm } from './testing/storm.ts';

test('attempts 10 to 20 s after recovery are at most 1.2 times those before', async (t) => {
  const rates = await runStorm(1, { how: 'stall' });
  t.log(`attempts a second: ${rates.attempts.join(' ')}`);
  t.log(`successes a second: ${rates.successes.join(' ')}`);
  t.true(ratioAfter(rates) <= 1.2, `${ratioAfter(rates)}`);
  t.true(mean(rates.successes, 30, 40) >= 0.95 * mean(rates.successes, 2, 10));
});

test('without the throttle, the same failure becomes a storm that does not end', async (t) => {
  const rates = await runStorm(1, { how: 'stall', throttle: false });
  t.log(`attempts a second: ${rates.attempts.join(' ')}`);
  t.log(`successes a second: ${rates.successes.join(' ')}`);
  t.true(ratioAfter(rates) > 1.5, `${ratioAfter(rates)}`);
});
