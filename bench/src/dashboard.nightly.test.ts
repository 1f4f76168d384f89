// Tests the benchmark of the dashboard: a short run with few nodes, and its options.

import { existsSync } from 'node:fs';
import test from 'ava';
import { run } from './testing/run.ts';

const hasChromium = existsSync('/usr/bin/chromium');

(hasChromium ? test : test.skip)('a short run measures frames and memory', async (t) => {
  t.timeout(180_000); // A busy machine may need a minute.
  const options = ['--nodes', '10', '--links', '20', '--seconds', '2'];
  const { output, errors } = await run('dashboard.js', ...options);
  t.regex(output, /^10 nodes, 20 links, 2 s at 1280 x 800: \d+ frames\n/, errors);
  t.regex(output, /\nframe: median [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms\n/);
  t.regex(output, /\nmemory in MB: \d+( \d+)+\n/);
});

test('a wrong option is refused', async (t) => {
  const { code, errors } = await run('dashboard.js', '--nodes', 'many');
  t.is(code, 2);
  t.regex(errors, /--nodes: must be a whole number above 0, got 'many'/);
});
