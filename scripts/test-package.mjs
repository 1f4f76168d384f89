// Runs test files of one package under AVA, counts their cases, and checks that they leave no
// process and no temporary file behind.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { withSourceLines } from './source-lines.mjs';
import { grouped } from './test-files.mjs';
import { processesWith, root, runTool, tools } from './workspace.mjs';

/** The milliseconds after which a package's tests are killed. */
const LIMIT = { commit: 30 * 60_000, nightly: 80 * 60_000 };
/**
 * The milliseconds without a finished case after which they are killed, for example because a test
 * has failed and left a server open. The longest case of a commit takes less than one minute.
 */
const SILENCE = { commit: 5 * 60_000, nightly: 15 * 60_000 };
/** The milliseconds that a killed process may take to end. */
const ENDING = 5_000;

/**
 * Runs the test files of `{ folder, files }`. Returns the counts `passed`, `failed` and `skipped`,
 * the titles of the `failures`, a line for each of the `skips`, and `details`: what AVA printed of
 * failures, and what the tests printed themselves.
 */
export async function testPackage({ folder, files }, { nightly, concurrency, onCases }) {
  const when = nightly ? 'nightly' : 'commit';
  const temporary = mkdtempSync(join(tmpdir(), 'test-'));
  let rest = '';
  const onOutput = (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    onCases(lines.filter((line) => /^ {2}(?:[✔√] |[✘×] \[fail\])/u.test(line)).length);
  };
  const args = ['--no-color', '--concurrency', String(concurrency), ...grouped({ folder, files })];
  const { code, output } = await runTool(tools.ava, args, {
    cwd: join(root, folder),
    capture: 'all',
    env: environment(temporary, nightly),
    limit: LIMIT[when],
    silence: SILENCE[when],
    onOutput,
  });
  const lines = output.split('\n');
  const passed = lines.filter((line) => /^ {2}[✔√] /u.test(line)).length;
  const skips = lines
    .filter((line) => line.startsWith('  - [skip] '))
    .map((line) => line.replace('  - [skip]', '  skipped:'));
  const failures = lines.filter((line) => /^ {2}[✘×◌] /u.test(line)).map((line) => line.trim());
  failures.push(...(await leftBehind(temporary)));
  if (code !== 0 && failures.length === 0) failures.push(`AVA ended with exit code ${code}`);
  const details = lines.filter((line) => !/^ {2}(?:[✔√] |- \[skip\] | {2}ℹ )/u.test(line));
  for (const failure of failures)
    if (!details.includes(`  ${failure}`)) details.push(`  ${failure}`);
  return {
    passed,
    failed: failures.length,
    skipped: skips.length,
    failures,
    skips,
    details: withSourceLines(details.join('\n')),
  };
}

/** Returns the environment of tests, whose temporary files are in a folder of their own. */
function environment(temporary, nightly) {
  const flags = `--import=${new URL('test-flags.mjs', import.meta.url)}`;
  return {
    ...process.env,
    CI: 'true', // AVA prints plain lines, and fails if a test is marked `only`.
    WT_SESSION: '1', // On Windows, it prints the same symbols as elsewhere.
    NODE_OPTIONS: [process.env.NODE_OPTIONS, flags].filter(Boolean).join(' '),
    TMPDIR: temporary,
    TEMP: temporary,
    TRUNKLINE_NIGHTLY: nightly ? '1' : '',
  };
}

/**
 * Removes the folder of temporary files. Returns a line for each file in it, and for each process
 * that has it as its folder of temporary files and does not end; such a process is killed.
 */
async function leftBehind(temporary) {
  const mark = `TMPDIR=${temporary}`;
  const deadline = performance.now() + ENDING;
  let left = processesWith(mark);
  while (left.length > 0 && performance.now() < deadline) {
    await delay(50);
    left = processesWith(mark);
  }
  for (const { pid } of left) process.kill(pid, 'SIGKILL');
  const files = readdirSync(temporary);
  rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
  return [
    ...left.map(({ pid, command }) => `✘ left a process behind: ${pid}, ${command}`),
    ...files.map((name) => `✘ left a temporary file behind: ${name}`),
  ];
}
