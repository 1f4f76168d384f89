// Runs the compiled tests, several packages side by side, and counts what passed and failed. Prints
// progress from the first second, and failures in full. Run by `pnpm test`, after a build, and by
// .ci/run on other releases of Node.
//
//   node scripts/test.mjs [--full | --share 2/6] [--seed 2] [--compiled] [package...]
//
//   --full        runs everything; the quick run leaves out the files *.full.test.ts (repeated
//                 combinations and long searches), *.flaky.test.ts (suites over WebRTC
//                 that haven't passed 20 times in a row), two thirds of the files *.third.test.ts
//                 (long tests of the same things as others), and nine tenths of the seeds of tests
//                 that try many
//   --share I/N   runs only the I-th of N equal parts of the files *.full.test.ts,
//                 with all seeds
//   --seed K      the quick run takes the K-th tenth of the seeds and the K-th third of the files
//                 *.third.test.ts instead of the first; CI runs 1, 2 and 3 on three Nodes
//   --compiled    leaves out the tests of the workspace itself, which need the Node of the build
//                 tools
//   package       the name of a package's folder; `workspace` is the repository's own tooling

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createProgress, duration } from './progress.mjs';
import { filesBelow, packages, root, runTool, tools } from './workspace.mjs';

/**
 * The packages whose tests take longest, slowest first. They start first, so that none is left to
 * run alone at the end.
 */
const SLOWEST = [
  ...[
    'gossip',
    'peers',
    'simulation',
    'evaluation',
    'bench',
    'browser',
    'transport-tcp',
    'stream-noise',
    'transport-core',
    'raft',
    'docs',
    'hostile',
    'transport-ws',
    'transport-inmem',
  ],
  ...['chat', 'transport-testkit', 'identity'],
];
/** The milliseconds after which a package's tests are killed. */
const LIMIT = 30 * 60_000;
/**
 * The milliseconds without a finished case after which they are killed, for example because a test
 * has failed and left a server open. The longest case of the quick run takes less than one minute.
 */
const SILENCE = { quick: 5 * 60_000, long: 15 * 60_000 };

const { values: options, positionals: named } = parseArgs({
  options: {
    full: { type: 'boolean' },
    share: { type: 'string' },
    seed: { type: 'string', default: '1' },
    compiled: { type: 'boolean' },
  },
  allowPositionals: true,
});
if (!/^[1-9]\d*$/.test(options.seed))
  throw new Error(`--seed ${options.seed}: expected a number from 1`);
const jobs = chosenJobs();
const isQuick = !options.full && options.share === undefined;
const env = {
  ...process.env,
  NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${new URL('test-flags.mjs', import.meta.url)}`]
    .filter(Boolean)
    .join(' '),
  TRUNKLINE_TEST_SEEDS: isQuick ? options.seed : 'all',
};
const cores = availableParallelism();
// One more job than there are cores, because suites over real sockets wait now and then.
const atOnce = Math.min(cores + 1, jobs.length);
const concurrency = String(Math.max(1, Math.floor(cores / atOnce)));

const extent =
  options.share === undefined
    ? options.full
      ? 'full'
      : `quick, seeds ${options.seed}`
    : `part ${options.share} of what the quick run leaves out`;
console.log(
  `Tests on Node ${process.versions.node}, ${cores} cores: ${extent}, ${jobs.length} packages, ${atOnce} at a time`,
);
const progress = createProgress(jobs.length);
const total = { passed: 0, failed: 0, skipped: 0 };
await Promise.all(Array.from({ length: atOnce }, runJobs));
progress.close();

if (total.passed === 0) total.failed += 1; // A run without a test counts as a failure.
const skips = total.skipped > 0 ? `; ${total.skipped} skipped, for the reasons above` : '';
console.log(`${duration(progress.elapsed())} in all${skips}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
if (total.failed > 0) process.exitCode = 1;

/** Returns the test files to run: `{ folder, name, files }` for each package that has any. */
function chosenJobs() {
  const folders = [...packages, ...(options.compiled ? [] : ['.'])].filter((folder) =>
    existsSync(join(root, folder, 'ava.config.mjs')),
  );
  const all = folders.map((folder) => ({
    folder,
    name: folder === '.' ? 'workspace' : basename(folder),
    files: testFiles(folder),
  }));
  const left = all
    .flatMap(({ folder, files }) => files.filter(isFull).map((file) => join(folder, file)))
    .sort();
  const thirds = all
    .flatMap(({ folder, files }) => files.filter(isThird).map((file) => join(folder, file)))
    .sort();
  const third = (Number(options.seed) - 1) % 3;
  const [part, parts] = parseShare(options.share ?? '1/1');
  const inShare = (path) => left.indexOf(path) % parts === part - 1;
  const runs = (folder, file) => {
    if (options.share !== undefined) return isFull(file) && inShare(join(folder, file));
    if (options.full) return true;
    if (isThird(file)) return thirds.indexOf(join(folder, file)) % 3 === third;
    return !isFull(file) && !isFlaky(file);
  };
  const strange = named.filter((name) => !all.some((job) => job.name === name));
  if (strange.length > 0)
    throw new Error(
      `no package is called ${strange.join(', ')}; choose from ${all.map(({ name }) => name).join(', ')}`,
    );
  return all
    .filter(({ name }) => named.length === 0 || named.includes(name))
    .map(({ folder, name, files }) => ({
      folder,
      name,
      files: files.filter((file) => runs(folder, file)),
    }))
    .filter(({ files }) => files.length > 0)
    .sort((a, b) => rank(a) - rank(b));
}

async function runJobs() {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    const { passed, failed, skipped } = await runTests(job);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
}

/**
 * Runs test files of one package. AVA's TAP has one `ok` or `not ok` line a test, with a failure's
 * details indented below it.
 */
async function runTests({ folder, name, files }) {
  const reporter = progress.start(name);
  let rest = '';
  const onOutput = (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    reporter.done(lines.filter((line) => /^(not )?ok /.test(line)).length);
  };
  const args = ['--tap', '--concurrency', concurrency, ...files];
  const { code, output } = await runTool(tools.ava, args, {
    cwd: join(root, folder),
    capture: 'stdout',
    env,
    limit: LIMIT,
    silence: isQuick ? SILENCE.quick : SILENCE.long,
    onOutput,
  });
  const lines = output.split('\n');
  const skips = lines.filter((line) => /^ok .*# SKIP/.test(line));
  const passed = lines.filter((line) => line.startsWith('ok ')).length - skips.length;
  const failures = lines.filter((line) => line.startsWith('not ok ')).length;
  const failed = code === 0 ? failures : Math.max(failures, 1);
  const reasons = skips.map(
    (line) => `  skipped: ${line.replace(/^ok \d+ - /, '').replace(/ # SKIP.*/, '')}`,
  );
  const details = failed > 0 ? lines.filter((line) => !line.startsWith('ok ')) : [];
  reporter.end({ passed, failed, skipped: skips.length }, [...reasons, ...details]);
  return { passed, failed, skipped: skips.length };
}

/** Returns the test files of a package, relative to its folder. */
function testFiles(folder) {
  const [within, ending] = folder === '.' ? ['scripts', '.test.mjs'] : ['dist', '.test.js'];
  const found = filesBelow(join(root, folder, within)).filter((file) => file.endsWith(ending));
  return found.map((file) => `${within}/${file}`).sort();
}

function isFull(file) {
  return /\.full\.test\.m?js$/.test(file);
}

function isFlaky(file) {
  return /\.flaky\.test\.m?js$/.test(file);
}

function isThird(file) {
  return /\.third\.test\.m?js$/.test(file);
}

function parseShare(text) {
  const [part = 0, parts = 0] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).slice(1).map(Number);
  if (part < 1 || part > parts) throw new Error(`--share ${text}: expected a part like 2/6`);
  return [part, parts];
}

function rank({ name }) {
  const index = SLOWEST.indexOf(name);
  return index === -1 ? SLOWEST.length : index;
}
