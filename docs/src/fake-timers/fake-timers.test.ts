// Fake timers of the usual libraries have no effect on a Trunkline that was imported before them.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const here = dirname(fileURLToPath(import.meta.url));
const { NODE_OPTIONS: _, ...env } = process.env;
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, args, { cwd: here, env, timeout: 50_000 });

for (const library of ['sinon', 'jest'])
  test.serial(`calls and close() don't wait for the fake timers of ${library}`, async (t) => {
    const { stdout } = await run('plain.js', library);
    t.is(stdout, '16\n');
  });

test.serial("calls and close() don't wait for the fake timers of vitest", async (t) => {
  const vitest = createRequire(import.meta.url).resolve('vitest/package.json');
  const main = join(dirname(vitest), 'vitest.mjs');
  const { stdout } = await run(main, 'run', '--root', here, '--reporter=json');
  const { numPassedTests, numFailedTests } = JSON.parse(stdout);
  t.deepEqual([numPassedTests, numFailedTests], [1, 0]);
});

test.serial('a Trunkline that is imported under fake timers follows them', async (t) => {
  const { stdout } = await run('plain.js', 'late');
  t.is(stdout, 'undefined\n16\n');
});
