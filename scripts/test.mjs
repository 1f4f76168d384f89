// Runs the compiled tests, several packages side by side, and counts what passed and failed. Prints
// progress from the first second, and failures in full. Run by `pnpm test`, after a build, and by
// scripts/ci.mjs.
//
//   node scripts/test.mjs [--io | --pages | --nightly] [--repeat N] [--load K] [package...]
//
//   --io         runs only the tests that touch sockets, disks, processes, timers or async context:
//                those whose result may depend on the release of Node
//   --pages      runs only the tests in Chromium, which the other runs leave out
//   --nightly    runs everything, with the files *.nightly.test.ts and with all seeds of the tests
//                that try many
//   --repeat N   runs all of it N times, and lists every case that ever failed, with its output
//   --load K     keeps K processes busy meanwhile
//   package      the name of a package's folder; `workspace` is the repository's own tooling

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { startLoad } from './load.mjs';
import { createProgress, duration } from './progress.mjs';
import { chosenFiles } from './test-files.mjs';
import { testPackage } from './test-package.mjs';
import { cpuSeconds } from './workspace.mjs';

/**
 * The packages whose tests take longest, slowest first. They start first, so that none is left to
 * run alone at the end.
 */
const SLOWEST = [
  ...['gossip', 'peers', 'simulation', 'evaluation', 'bench', 'browser', 'transport-tcp'],
  ...['stream-noise', 'transport-core', 'raft', 'docs', 'hostile', 'transport-ws'],
  ...['transport-inmem', 'chat', 'transport-testkit', 'identity'],
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
// One more job than there are cores, because suites over real sockets wait now and then.
const atOnce = Math.min(cores + 1, jobs.length);
const total = { passed: 0, failed: 0, skipped: 0 };
/** The failures of each case that ever failed: its runs, and its output in the first of them. */
const failures = new Map();

console.log(
  `Tests on Node ${process.versions.node}, ${cores} cores: ${extent.name}, ${jobs.length} packages, ${atOnce} at a time${load > 0 ? `, beside ${load} busy processes` : ''}`,
);
const began = performance.now();
const endLoad = startLoad(load);
for (let run = 1; run <= repeat; run += 1) {
  if (repeat > 1) console.log(`\nRun ${run} of ${repeat}`);
  await runAll(run);
}
endLoad();
if (repeat > 1) tellFailures();

if (total.passed === 0) total.failed += 1; // A run without a test counts as a failure.
const cpu = cpuSeconds();
const skips = total.skipped > 0 ? `; ${total.skipped} skipped, for the reasons above` : '';
console.log(
  `${duration(performance.now() - began)} in all${cpu === undefined ? '' : `, ${cpu.toFixed(0)} s of CPU`}${skips}`,
);
console.log(`${total.passed} passed, ${total.failed} failed`);
if (total.failed > 0) process.exitCode = 1;

async function runAll(run) {
  const progress = createProgress(jobs.length);
  const waiting = [...jobs];
  const runJobs = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const reporter = progress.start(job.name);
      const result = await testPackage(job, {
        nightly: options.nightly,
        concurrency: Math.max(1, Math.floor(cores / atOnce)),
        onCases: (cases) => reporter.done(cases),
      });
      for (const kind of Object.keys(total)) total[kind] += result[kind];
      reporter.end(result, [...result.skips, ...(result.failed > 0 ? [result.details] : [])]);
      for (const title of result.failures) note(`${job.name}: ${title}`, run, result.details);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runJobs));
  progress.close();
}

function note(title, run, details) {
  const known = failures.get(title);
  if (known === undefined) failures.set(title, { runs: [run], details });
  else known.runs.push(run);
}

/** Lists every case that failed in any run, with the output of its package in the first of them. */
function tellFailures() {
  console.log(`\n${failures.size} cases failed in at least one of ${repeat} runs`);
  for (const [title, { runs, details }] of failures)
    console.log(`\n== ${title}\n   failed in run ${runs.join(', ')}\n${details}`);
}

function count(name, least) {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Error(`--${name} ${options[name]}: expected a number from ${least}`);
}

function rank({ name }) {
  const index = SLOWEST.indexOf(name);
  return index === -1 ? SLOWEST.length : index;
}
