// Runs test files of packages under AVA, counts their cases, and checks that they leave no process
// and no temporary file behind.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processesWith, root, runTool, tools, withSourceLines } from './workspace.mjs';

/** The milliseconds after which a lane's tests are killed. */
const LIMIT = { commit: 30 * 60_000, nightly: 85 * 60_000 };
/**
 * The milliseconds without a finished case after which they are killed, for example because a test
 * has failed and left a server open. The longest case of a commit takes less than one minute.
 */
const SILENCE = { commit: 5 * 60_000, nightly: 15 * 60_000 };
const FLAGS = new URL('test-flags.mjs', import.meta.url);
/** The milliseconds that a killed process may take to end. */
const ENDING = 5_000;

/** AVA's lines for a case that has passed, that was skipped, and that failed or did not end. */
const PASSED = /^ {2}[✔√] (.*?)(?: \([\d.]+(?:ms|s|m)(?: [\d.]+s)?\))?$/u; // AVA adds the time of a slow test.
const SKIPPED = /^ {2}- \[skip\] (.*)$/;
const FAILED = /^ {2}[✘×◌] (?:\[fail\]: )?(.*)$/u;

/**
 * Runs test files, whose paths are relative to `cwd`. Returns the titles of the cases that
 * `passed`, that were `skipped` and that `failed`, and `details`: what AVA printed of failures, and
 * what the tests printed themselves. Each title starts with the path of its file, as in `packages ›
 * gossip › …`.
 *
 * @param options `args`: further arguments of AVA; `nightly`: whether this is the nightly run;
 *   `onCase`: called after each case that has passed or failed; `cwd`: the root by default
 */
export async function testLane(files, { args = [], nightly = false, onCase, cwd = root }) {
  const when = nightly ? 'nightly' : 'commit';
  const temporary = mkdtempSync(join(tmpdir(), 'test-'));
  let rest = '';
  const onOutput = (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) if (PASSED.test(line) || FAILED.test(line)) onCase();
  };
  const { code, output } = await runTool(tools.ava, ['--no-color', ...args, ...files], {
    cwd,
    capture: 'all',
    env: {
      ...process.env,
      CI: 'true', // AVA prints plain lines, and fails if a test is marked `only`.
      WT_SESSION: '1', // On Windows, it prints the same symbols as elsewhere.
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${FLAGS}`,
      TMPDIR: temporary,
      TEMP: temporary,
      TRUNKLINE_NIGHTLY: nightly ? '1' : '',
    },
    limit: LIMIT[when],
    silence: SILENCE[when],
    onOutput,
  });
  const lines = output.split('\n');
  const start = commonStart(files);
  const titles = (kind) =>
    lines.flatMap((line) => {
      const title = kind.exec(line)?.[1];
      if (title === undefined) return [];
      return [title.includes(' › ') || files.length === 1 ? start + title : title];
    });
  const failed = [...titles(FAILED), ...(await leftBehind(temporary))];
  if (code !== 0 && failed.length === 0) failed.push(`AVA ended with exit code ${code}`);
  const details = lines.filter((line) => ![PASSED, SKIPPED, / {2}ℹ /].some((k) => k.test(line)));
  return {
    passed: titles(PASSED),
    skipped: titles(SKIPPED),
    failed,
    details: withSourceLines(details.join('\n')),
  };
}

/**
 * Returns what AVA leaves out at the start of each title: the folders that all files are in, and if
 * there is only one file, its name.
 */
function commonStart(files) {
  let common = files[0].replace(/(\.test)?\.m?js$/, '');
  while (
    common !== '.' &&
    files.length > 1 &&
    !files.every((file) => file.startsWith(common + sep))
  )
    common = dirname(common);
  return common === '.' ? '' : `${common}${sep}`.replaceAll(sep, ' › ');
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
    ...left.map(({ pid, command }) => `left a process behind: ${pid}, ${command}`),
    ...files.map((name) => `left a temporary file behind: ${name}`),
  ];
}
