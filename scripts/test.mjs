// Runs the compiled tests, several files side by side, and counts what passed and failed. Prints
// every ten seconds how many cases are done, and failures in full. Run by `pnpm test`, after a
// build, and by scripts/ci.mjs.
//
//   node scripts/test.mjs [--io | --pages | --nightly] [--repeat N] [--load K] [package...]
//
//   --io         runs only the tests that touch sockets, disks, processes, timers or async context:
//                those whose result may depend on the release of Node
//   --pages      runs only the tests in Chromium, which the other runs leave out
//   --nightly    runs everything, with the files *.nightly.test.ts and with all seeds of the tests
//                that try many
//   --repeat N   runs all of it N times, and lists every case that ever failed
//   --load K     keeps K processes busy meanwhile
//   package      the name of a package's folder; `workspace` is the repository's own tooling

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { chosenFiles, lanesOf } from './test-files.mjs';
import { testLane } from './test-lane.mjs';
import { cpuSeconds } from './workspace.mjs';

/**
 * The packages whose tests take longest, slowest first. They start first, so that none is left to
 * run alone at the end.
 */
const SLOWEST = [
  ...['gossip', 'peers', 'simulation', 'evaluation', 'bench', 'browser', 'transport-tcp'],
  ...['security', 'transport-core', 'raft', 'docs', 'hostile', 'transport-ws'],
  ...['transport-inmem', 'chat', 'transport-testkit'],
];

const { values: options, positionals: named } = parseArgs({
  options: {
    io: { type: 'boolean', default: false },
    pages: { type: 'boolean', default: false },
    nightly: { type: 'boolean', default: false },
    repeat: { type: 'string', default: '1' },
    load: { type: 'string', default: '0' },
  },
  allowPositionals: true,
});
const repeat = count('repeat', 1);
const load = count('load', 0);
const extent = options.nightly
  ? { name: 'everything, all seeds', kinds: ['pure', 'io', 'page'] }
  : options.io
    ? { name: 'what depends on the release of Node', kinds: ['io'] }
    : options.pages
      ? { name: 'pages in Chromium', kinds: ['page'] }
      : { name: 'everything but the pages', kinds: ['pure', 'io'] };
const tooling = !options.io && !options.pages;
const jobs = chosenFiles({ ...extent, nightly: options.nightly, tooling, named }).sort(
  (a, b) => rank(a) - rank(b),
);
const cores = availableParallelism();
/**
 * The arguments of AVA for each lane of files. The lanes run side by side: on two cores they run
 * one file more than there are cores, because suites over real sockets wait now and then.
 */
const ARGS = {
  threads: ['--concurrency', String(Math.max(1, cores - 1))],
  serial: ['--serial'],
  processes: ['--no-worker-threads', '--concurrency', String(Math.max(1, Math.floor(cores / 2)))],
};
const lanes = Object.entries(await lanesOf(jobs)).filter(([, files]) => files.length > 0);
const total = { passed: 0, failed: 0, skipped: 0 };
/** The runs in which each case has failed. */
const failures = new Map();

console.log(
  `Tests on Node ${process.versions.node}, ${cores} cores: ${extent.name}, ${jobs.length} packages${load > 0 ? `, beside ${load} busy processes` : ''}`,
);
const began = performance.now();
let done = 0;
const progress = setInterval(() => console.log(`  ${elapsed()}  ${done} cases done`), 10_000);
const busy = Array.from({ length: load }, () =>
  spawn(process.execPath, ['-e', 'while (process.ppid !== 1);'], { stdio: 'ignore' }),
);
for (let run = 1; run <= repeat; run += 1) {
  if (repeat > 1) console.log(`\nRun ${run} of ${repeat}`);
  await runAll(run);
}
clearInterval(progress);
for (const child of busy) child.kill('SIGKILL');
if (repeat > 1) {
  console.log(`\n${failures.size} cases failed in at least one of ${repeat} runs`);
  for (const [title, runs] of failures) console.log(`    in run ${runs.join(', ')}: ${title}`);
}

if (total.passed === 0) total.failed += 1; // A run without a test counts as a failure.
const cpu = cpuSeconds();
const skips = total.skipped > 0 ? `; ${total.skipped} skipped, for the reasons above` : '';
console.log(
  `${elapsed()} in all${cpu === undefined ? '' : `, ${cpu.toFixed(0)} s of CPU`}${skips}`,
);
console.log(`${total.passed} passed, ${total.failed} failed`);
if (total.failed > 0) process.exitCode = 1;

async function runAll(run) {
  const results = await Promise.all(
    lanes.map(async ([lane, files]) => {
      const result = await testLane(files, {
        args: ARGS[lane],
        nightly: options.nightly,
        onCase: () => (done += 1),
      });
      if (result.failed.length > 0) console.log(result.details);
      for (const title of result.failed) failures.set(title, [...(failures.get(title) ?? []), run]);
      return result;
    }),
  );
  tellCounts((kind) => results.flatMap((result) => result[kind]));
}

/** Prints the counts of each package and its skipped cases, and then all cases that failed. */
function tellCounts(titlesOf) {
  const starts = jobs.map(({ folder }) =>
    folder === '.' ? '' : `${folder.replace('/', ' › ')} › `,
  );
  const owner = (title) => jobs[starts.findIndex((start) => title.startsWith(start))]?.name;
  for (const kind of Object.keys(total)) total[kind] += titlesOf(kind).length;
  for (const { name } of jobs) {
    const [passed, failed, skipped] = Object.keys(total).map((kind) =>
      titlesOf(kind).filter((title) => owner(title) === name),
    );
    const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
    console.log(
      `${name.padEnd(20)} ${String(passed.length).padStart(5)} passed, ${failed.length} failed${skips}`,
    );
    for (const title of skipped) console.log(`    skipped: ${title}`);
  }
  for (const title of titlesOf('failed')) console.log(`    failed: ${title}`);
}

/** Returns the time since the start as minutes and seconds: 1:07. */
function elapsed() {
  const seconds = Math.round((performance.now() - began) / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function count(name, least) {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Error(`--${name} ${options[name]}: expected a number from ${least}`);
}

function rank({ name }) {
  return SLOWEST.includes(name) ? SLOWEST.indexOf(name) : SLOWEST.length;
}
