// Starting: the time that a process takes until a package is loaded, and its memory then, beside
// bare Node.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Bar, type Figures, type Round, taskOf } from './benchmark.ts';
import { runBenchmark } from './run.ts';
import { figureOf } from './summary.ts';

/** Bare Node, which all others are compared with. */
const BARE = 'bare Node';
/** The subjects that have a bar. */
const CORE_AND_TCP = 'core + tcp';
const TRUNKLINE = 'trunkline';
/** The most milliseconds that `CORE_AND_TCP` may take. */
const MOST_TIME = 60;
/** The most that `TRUNKLINE` may take, as a multiple of `CORE_AND_TCP`. */
const MOST_CPU = 1.1;
const MIB = 1024 * 1024;
const CHILD = fileURLToPath(new URL('start/child.js', import.meta.url));
const PACKAGES = new URL('../../packages/', import.meta.url);
const CORE = ['transport-core', 'transport-tcp'];
/**
 * The entries that each subject loads, in this order: a package's folder for its main entry. The
 * testkit is for the tests of a backend; no program loads it.
 */
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  [BARE]: [],
  [CORE_AND_TCP]: CORE,
  ...Object.fromEntries(
    readdirSync(PACKAGES)
      .filter((folder) => folder !== 'transport-testkit')
      .sort()
      .map((folder) => [folder, [folder]]),
  ),
  'security/noise': ['security/noise'],
  'core + tcp + noise + peers + gossip': [...CORE, 'security/noise', 'peers', 'gossip'],
};

/** The cost of a subject in addition to bare Node. */
const beyond = (round: Round, name: string, key: string) =>
  figureOf(round, { group: '', name }, key) - figureOf(round, { group: '', name: BARE }, key);
const BARS: readonly Bar[] = [
  {
    bar: `${CORE_AND_TCP}: loads in at most ${MOST_TIME} ms more than bare Node`,
    value: (round) => beyond(round, CORE_AND_TCP, 'time'),
    most: MOST_TIME,
  },
  {
    // CPU time, because other programs disturb it less.
    bar: `${TRUNKLINE}: loads in at most ${MOST_CPU} times the CPU time of ${CORE_AND_TCP}, both without that of bare Node`,
    value: (round) => beyond(round, TRUNKLINE, 'cpu') / beyond(round, CORE_AND_TCP, 'cpu'),
    most: MOST_CPU,
  },
];

await runBenchmark({
  name: 'start',
  rounds: 20,
  flags: {},
  plan() {
    const names = Object.keys(SUBJECTS);
    // Starts every subject once unmeasured, because files that are read for the first time come
    // from the disk.
    for (const name of names) startOne(name);
    return {
      tasks: names.map((name) => {
        const against = name === BARE ? undefined : BARE;
        return taskOf({ group: '', name, against }, async () => startOne(name));
      }),
      figuresOf: () => [
        { key: 'time', unit: 'ms', compared: 'difference' },
        { key: 'cpu', unit: 'CPU ms', compared: 'difference' },
        { key: 'rss', unit: 'RSS, MiB', compared: 'difference' },
      ],
      bars: BARS,
    };
  },
});

function startOne(name: string): Figures {
  const args = [CHILD, ...SUBJECTS[name]!.map(fileOf)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`a process that loads ${name} failed (exit code ${status}): ${stderr}`);
  const { time, cpu, rss } = JSON.parse(stdout) as Record<string, number>;
  return { time, cpu, rss: rss! / MIB };
}

/** Returns the URL of the file that Node loads for an entry. */
function fileOf(entry: string): string {
  const { resolve } = createRequire(new URL(`${entry.split('/')[0]}/package.json`, PACKAGES));
  return pathToFileURL(resolve(entry === TRUNKLINE ? entry : `@trunkline/${entry}`)).href;
}
