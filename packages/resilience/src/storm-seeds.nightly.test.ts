// Tests that no retry storm happens with more seeds, or when the servers crash instead of stalling.

import test from './testing/serial.ts';
import { ratioAfter, runStorm } from './testing/storm.ts';

test('attempts return to their rate, whether servers stall or crash', async (t) => {
  t.timeout(20 * 60_000);
  for (const how of ['stall', 'crash'] as const) {
    const ratios: number[] = [];
    for (let seed = 1; seed <= 10; seed++) ratios.push(ratioAfter(await runStorm(seed, { how })));
    t.log(`${how}: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`);
    t.true(Math.max(...ratios) <= 1.2, how);
  }
});

test('without the throttle, crashes lead to a storm, too', async (t) => {
  t.timeout(5 * 60_000);
  const ratio = ratioAfter(await runStorm(1, { how: 'crash', throttle: false }));
  t.true(ratio > 1.5, `${ratio}`);
});
