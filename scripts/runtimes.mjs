// Runs consumer/smoke.mjs on Node, Bun and Deno, which must print the same. A runtime that npm
// can't get is skipped, with a word. Run by the job `runtimes` of scripts/ci.mjs, after a build.

import { join } from 'node:path';
import process from 'node:process';
import { root, run } from './workspace.mjs';

/** The commands that run a program. docs/start.md names the releases. */
const RUNTIMES = {
  'Bun 1.4': ['npx', '--yes', 'bun@1.4'],
  'Deno 2.9': ['npx', '--yes', 'deno@2.9'],
};
/** The longest duration of a command, in milliseconds. */
const LIMIT = 120_000;

const options = { cwd: join(root, 'consumer'), capture: 'all', limit: LIMIT };
const { code, output: expected } = await run(process.execPath, ['smoke.mjs'], options);
const failed = code === 0 ? [] : ['Node'];
if (code !== 0) console.log(`  failed: Node\n${expected}`);
let passed = 1 - failed.length;
for (const [name, [npx, ...args]] of Object.entries(RUNTIMES)) {
  const had = await run(npx, [...args, '--version'], options);
  if (had.code !== 0) {
    console.log(`  skipped: ${name}, because npm could not get it`);
    continue;
  }
  const program = name.startsWith('Deno') ? ['run', '--allow-all', 'smoke.mjs'] : ['smoke.mjs'];
  const ran = await run(npx, [...args, ...program], options);
  if (ran.code === 0 && ran.output.endsWith(expected)) passed++;
  else {
    failed.push(name);
    console.log(`  failed: ${name}\n${ran.output}instead of\n${expected}`);
  }
}
console.log(`${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
