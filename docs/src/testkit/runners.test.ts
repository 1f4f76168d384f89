// Runs the examples of the testkit under node:test and vitest.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const here = dirname(fileURLToPath(import.meta.url));
const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
const run = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: here, env });

test.serial('the suite passes under node:test', async (t) => {
  const { stdout } = await run('--test', '--test-reporter=tap', 'node-test.js');
  t.regex(stdout, /^# fail 0$/m);
  t.true(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]) > 20, stdout.slice(-400));
});

test.serial('the suite passes under vitest', async (t) => {
  const vitest = createRequire(import.meta.url).resolve('vitest/package.json');
  const main = join(dirname(vitest), 'vitest.mjs');
  const { stdout } = await run(main, 'run', '--root', here, '--reporter=json');
  const { numPassedTests, numFailedTests } = JSON.parse(stdout);
  t.is(numFailedTests, 0);
  t.true(numPassedTests > 20, `${numPassedTests} passed`);
});
