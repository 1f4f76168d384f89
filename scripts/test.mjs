// Runs the compiled tests of every package, one package after the other, and counts what passed and failed. A package whose
// tests pass takes one line; a failure is printed whole.
//
//   node scripts/test.mjs [--compiled] [package...]     --compiled leaves out the tests of the workspace itself, which need
//                                                       the build tools' Node; packages are named as their folders are,
//                                                       the workspace itself 'workspace'

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { filesBelow, packages, root, runTool, tools } from './workspace.mjs';

const args = process.argv.slice(2);
const compiledOnly = args.includes('--compiled');
const named = args.filter((arg) => !arg.startsWith('-'));
/** Milliseconds that the tests of a package may take: some minutes is what they do. */
const LIMIT = 15 * 60_000;
const total = { passed: 0, failed: 0 };

console.log(`Node ${process.versions.node}`);
for (const folder of [...packages.filter(hasTests), ...(compiledOnly ? [] : ['.'])]) {
  if (named.length > 0 && !named.includes(label(folder))) continue;
  const result = await runTests(folder);
  total.passed += result.passed;
  total.failed += result.failed;
}
if (total.passed === 0) total.failed += 1; // Nothing ran: that is no success.
console.log(`${total.passed} passed, ${total.failed} failed`);
if (total.failed > 0) process.exitCode = 1;

function label(folder) {
  return folder === '.' ? 'workspace' : basename(folder);
}

function hasTests(folder) {
  return existsSync(join(root, folder, 'ava.config.mjs')) && filesBelow(join(root, folder, 'dist')).some((file) => file.endsWith('.test.js'));
}

/** AVA's TAP is one `ok` or `not ok` line a test, a failure's details indented below it. */
async function runTests(folder) {
  const begin = performance.now();
  const { code, output } = await runTool(tools.ava, ['--tap'], { cwd: join(root, folder), capture: 'stdout', limit: LIMIT });
  const lines = output.split('\n');
  const skipped = lines.filter((line) => /^ok .*# SKIP/.test(line));
  const passed = lines.filter((line) => line.startsWith('ok ')).length - skipped.length;
  const failures = lines.filter((line) => line.startsWith('not ok ')).length;
  const failed = code === 0 ? failures : Math.max(failures, 1);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  console.log(`${label(folder).padEnd(20)} ${String(passed).padStart(5)} passed, ${failed} failed${skips}  (${seconds} s)`);
  for (const line of skipped) console.log(`  skipped: ${line.replace(/^ok \d+ - /, '').replace(/ # SKIP.*/, '')}`);
  if (failed > 0) console.log(lines.filter((line) => !line.startsWith('ok ')).join('\n'));
  return { passed, failed };
}
