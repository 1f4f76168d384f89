// Tests the tests: adds bugs to the product, one at a time, and expects a test to fail because of
// each. Such a bug is called a mutant, and a test that fails kills it. A mutant that survives shows
// a promise that no test checks. The sources are restored at the end, also after Ctrl+C. Without
// parts, the bugs of examples/raft follow, which the simulation has to find. The mutants are listed
// in the other files of this folder; see list.mjs for their form. With --help, it prints its usage.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { packages, root, run, runTool, tools } from '../scripts/workspace.mjs';
import { changedFiles, MUTANTS, SURVIVORS } from './list.mjs';

const USAGE = `node mutants/main.mjs [option] [part...]   after a build

  part      runs only the mutants whose rule or file contains one of these texts
  --check   runs nothing, but checks that each mutant, and each bug of Raft, still fits its file in
            exactly one place, and that the file of its test still exists
  --commit  runs only those whose rule begins with *, and those of files that the branch changed
  --find    runs the tests of the mutant's whole package, to find one that kills it
  --help    prints this text`;
/** The time in milliseconds after which a test file counts as hanging, and so as failed. */
const LIMIT = 300_000;
/** The program that adds bugs to Raft and to the transport below it. */
const RAFT = 'examples/raft/dist/sim/testing/mutants.js';
/** Files that run a suite on a backend. */
const SUITES =
  /\/src\/(noise\/|testing\/session\/|recipes\/backend\/)?(compliance|identity|session\.(pipe|tcp)|unix-socket)\.test\.ts$/;
/** AVA's lines for a test that failed or did not end, and the line of a killed program. */
const FAILURES = [
  /^ {2}[✘×] \[fail\]: (.*)$/mu,
  /(Timed out while running tests|(?:Uncaught exception|Unhandled rejection) in .*)$/m,
  /^(killed: .*)$/m,
];

const { values: options, positionals: parts } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    commit: { type: 'boolean', default: false },
    find: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const chosen = choose();
const total = { passed: 0, failed: 0 };
/** Writes the edited file as it was; undefined while no file is edited. */
let restore;
let isStopped = false;
if (options.help) console.log(USAGE);
else await main();

async function main() {
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => {
      isStopped = true;
      restore?.();
    });
  if (options.check) await checkAll();
  else await runAll();
  if (total.passed === 0) total.failed += 1; // A run without a mutant counts as a failure.
  console.log(`${total.passed} passed, ${total.failed} failed`);
  if (total.failed > 0 || isStopped) process.exitCode = 1;
}

function choose() {
  const changed = options.commit ? changedFiles() : undefined;
  return (options.check || options.find ? [...MUTANTS, ...SURVIVORS] : MUTANTS).filter(
    (mutant) =>
      (changed === undefined || mutant.isFixed || changed.has(mutant.file)) && isNamed(mutant),
  );
}

function isNamed({ rule, file }) {
  return parts.length === 0 || parts.some((part) => rule.includes(part) || file.includes(part));
}

/** Checks that the mutants fit the sources, and the bugs of Raft the compiled files. */
async function checkAll() {
  for (const mutant of chosen) tell(mutant, misfit(mutant));
  const raft = await import(pathToFileURL(join(root, RAFT)));
  for (const { name, edits } of raft.MUTANTS) {
    const bug = { rule: name, file: edits.at(-1).file };
    if (isNamed(bug)) tell(bug, misfitOfRaft(edits, raft.edited));
  }
}

function misfitOfRaft(edits, edited) {
  try {
    for (const { file } of edits)
      edited(
        readFileSync(join(root, file), 'utf8'),
        edits.filter((edit) => edit.file === file),
      );
    return undefined;
  } catch ({ message }) {
    return message;
  }
}

async function runAll() {
  try {
    for (const mutant of chosen) {
      const began = performance.now();
      const { problem, killedBy } = await attempt(mutant);
      if (isStopped) break;
      const seconds = ((performance.now() - began) / 1_000).toFixed(0);
      tell(mutant, problem, `killed in ${seconds} s by: ${killedBy}`);
    }
  } finally {
    restore?.();
    const { code, output } = await build();
    if (code !== 0) tell({ rule: 'The product builds without a mutant.', file: root }, output);
  }
  if (parts.length > 0 || options.find || isStopped) return;
  const { code } = await run(process.execPath, [RAFT]);
  const problem = code === 0 ? undefined : `${RAFT} has found a bug that no seed catches`;
  tell({ rule: 'The simulation finds the bugs of Raft.', file: RAFT }, problem, 'killed');
}

/** Adds a mutant, and runs the file of its test. Returns the problem, or the title that failed. */
async function attempt(mutant) {
  const { file, from, to, killer } = mutant;
  const problem = misfit(mutant);
  if (problem !== undefined) return { problem };
  const path = join(root, file);
  const text = readFileSync(path, 'utf8');
  restore = () => writeFileSync(path, text);
  try {
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
    const built = await build();
    if (built.code !== 0) return { problem: `it does not compile:\n${built.output}` };
    if (isStopped) return {};
    const test = options.find ? packageOf(file) : killer.file;
    const folder = packageOf(test);
    const tests = options.find
      ? []
      : [`dist/${test.slice(`${folder}/src/`.length).replace(/\.ts$/, '.js')}`, ...only(killer)];
    const { code, output } = await runTool(tools.ava, ['--no-color', ...tests], {
      cwd: join(root, folder),
      capture: 'all',
      env: { ...process.env, CI: 'true' }, // AVA prints plain lines.
      limit: LIMIT,
      isGroup: true,
    });
    if (code === 0) return { problem: `it survived ${test}` };
    const failure = FAILURES.map((pattern) => output.match(pattern)?.[1]).find(Boolean);
    return failure === undefined
      ? { problem: `AVA failed, but no test did:\n${output}` }
      : { killedBy: failure };
  } finally {
    restore();
    restore = undefined;
  }
}

/** Returns the options with which only the named test of a suite runs: all of them take minutes. */
function only({ file, title }) {
  return SUITES.test(file) ? ['--match', title] : [];
}

/** Returns the reason why a mutant or its test does not fit the sources; undefined if both do. */
function misfit({ file, from, to, killer }) {
  if (!existsSync(join(root, file))) return 'its file does not exist';
  const count = readFileSync(join(root, file), 'utf8').split(from).length - 1;
  if (count !== 1) return `its text occurs ${count} times in the file`;
  if (from === to) return 'it changes nothing';
  if (killer === undefined) return undefined; // No test kills a survivor.
  if (packageOf(killer.file) === undefined) return `${killer.file} is not in a package`;
  if (killer.file.endsWith('.nightly.test.ts')) return 'its test does not run for every commit';
  return existsSync(join(root, killer.file)) ? undefined : `${killer.file} does not exist`;
}

/** Returns the folder of the package in which a file is. */
function packageOf(file) {
  return packages.find((folder) => file === folder || file.startsWith(`${folder}/`));
}

function build() {
  return run(process.execPath, ['scripts/build.mjs'], { capture: 'all' });
}

function tell({ rule, file }, problem, success = 'fits') {
  if (problem === undefined) total.passed += 1;
  else total.failed += 1;
  console.log(`${rule} (${file})\n  ${problem === undefined ? success : `FAILED: ${problem}`}`);
}
