// Runs consumer/smoke.mjs on Node, Bun and Deno, which must print the same. A runtime that npm
// can't get is skipped, with a word. Run by the job `runtimes` of scripts/ci.mjs, after a build.

import { join } from 'node:path';
import process from 'node:process';
import { root, run } from './workspace.mjs';

/** The programs, as npm knows them, with their arguments. docs/start.md names the releases. */
const RUNTIMES = [['bun@1.4'], ['deno@2.9', 'run', '--allow-all']];

const options = { cwd: join(root, 'consumer'), capture: 'all', limit: 120_000 };
const expected = await run(process.execPath, ['smoke.mjs'], options);
if (expected.code !== 0) console.log(`  failed: Node\n${expected.output}`);
const count = { passed: Number(expected.code === 0), failed: Number(expected.code !== 0) };
for (const [runtime, ...args] of RUNTIMES) {
  const had = await run('npx', ['--yes', runtime, '--version'], options);
  if (had.code !== 0) {
    console.log(`  skipped: ${runtime}, because npm could not get it`);
    continue;
  }
  const { code, output } = await run('npx', ['--yes', runtime, ...args, 'smoke.mjs'], options);
  const isRight = code === 0 && output.endsWith(expected.output);
  count[isRight ? 'passed' : 'failed']++;
  if (!isRight) console.log(`  failed: ${runtime}\n${output}instead of\n${expected.output}`);
}
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 ? 0 : 1;
