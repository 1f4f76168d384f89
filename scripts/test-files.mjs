// Chooses the test files of a run, and which of them share a worker. A file is of a kind, by what
// it imports, itself or through files of its own package:
//
//   page   it drives Chromium
//   io     it touches sockets, disks, processes, threads, timers or async context, so that its
//          result may depend on the release of Node
//   pure   everything else: machines without I/O, and whole nodes in memory or in a simulation
//
// Files `*.nightly.test.*` run only in the nightly run.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { filesBelow, packages, root } from './workspace.mjs';

/** Imports that make a file `io`. Reading a fixture with node:fs does not. */
const IO = new RegExp(
  [
    '^node:(async_hooks|child_process|cluster|dgram|dns|fs\\/promises|http|https|module|net)$',
    '^node:(perf_hooks|readline|timers|timers\\/promises|tls|v8|vm|worker_threads|dns\\/promises)$',
    '^(ws|werift|prom-client)$',
    '^node-datachannel',
    '^@opentelemetry\\/',
    '^@trunkline\\/(cli|local-nats|peers\\/nat|resilience\\/(cluster|dns)|transport-core\\/node)$',
    '^@trunkline\\/transport-(tcp|ws|nats|webrtc)$',
    '\\/system-(memory|runtime)\\.js$',
  ].join('|'),
);

/**
 * Pure files that run on every Node all the same: they compare a run of the simulation with the
 * recorded hashes, or depend on the order of microtasks.
 */
const ON_EVERY_NODE = new Set([
  'packages/simulation/dist/golden.test.js',
  'packages/simulation/dist/kernel/portable-math.test.js',
  'packages/simulation/dist/virtual-time.test.js',
]);

/** The most files whose tests share one worker. */
const GROUP = 24;

/**
 * Returns the test files of a run as `{ folder, name, files }` for each package that has any.
 * `name` is the package's folder, or `workspace` for the tooling of the repository.
 *
 * @param choice `kinds`: the kinds to run; `nightly`: whether to run nightly files, too; `tooling`:
 *   whether to run the tests of the repository's own tooling; `named`: the names of the packages to
 *   run, all if empty
 */
export function chosenFiles({ kinds, nightly, tooling, named }) {
  const jobs = [...packages, ...(tooling ? ['.'] : [])]
    .filter((folder) => existsSync(join(root, folder, 'ava.config.mjs')))
    .map((folder) => ({ folder, name: folder === '.' ? 'workspace' : basename(folder) }));
  const names = jobs.map(({ name }) => name);
  const strange = named.filter((name) => !names.includes(name));
  if (strange.length > 0)
    throw new Error(`no package is called ${strange.join(', ')}; choose from ${names.join(', ')}`);
  const chosen = named.length === 0 ? jobs : jobs.filter(({ name }) => named.includes(name));
  for (const job of chosen)
    job.files = testFiles(job.folder)
      .filter((file) => nightly || !isNightly(file))
      .filter((file) => {
        const path = join(job.folder, file);
        return kinds.includes(kindOf(path)) || (kinds.includes('io') && ON_EVERY_NODE.has(path));
      });
  return chosen.filter(({ files }) => files.length > 0);
}

/**
 * Distributes the files of packages to lanes, and returns for each lane the files that AVA is to
 * run in it, relative to the root. Starting a worker and loading a package takes longer than most
 * files' tests, so small files of a package share one: a file is written that imports them.
 *
 *   threads     whatever is not in another lane
 *   serial      files that touch I/O and share a worker; one test runs at a time, because the tests
 *               of other files would delay those that wait for timers
 *   processes   files of packages whose workers are processes; there, only pure files share one
 */
export async function lanesOf(jobs) {
  const lanes = { threads: [], serial: [], processes: [] };
  for (const { folder, files } of jobs) {
    rmSync(join(root, folder, '.groups'), { recursive: true, force: true });
    const { default: config } = await import(join(root, folder, 'ava.config.mjs'));
    const inProcesses = config.workerThreads === false;
    const parts = { alone: [], pure: [], io: [] };
    for (const file of files) {
      const kind = mayShare(folder, file) ? kindOf(join(folder, file)) : 'alone';
      parts[kind === 'io' && inProcesses ? 'alone' : kind].push(file);
    }
    const alone = parts.alone.map((file) => join(folder, file));
    const others = inProcesses ? lanes.processes : lanes.threads;
    others.push(...alone, ...grouped(folder, 'pure', parts.pure));
    lanes.serial.push(...grouped(folder, 'io', parts.io));
  }
  return lanes;
}

/** Writes files that each import up to GROUP of these files; returns them, relative to the root. */
function grouped(folder, kind, files) {
  if (files.length < 2) return files.map((file) => join(folder, file));
  mkdirSync(join(root, folder, '.groups'), { recursive: true });
  const count = Math.ceil(files.length / GROUP);
  const size = Math.ceil(files.length / count);
  return Array.from({ length: count }, (_, i) => {
    const part = files.slice(i * size, (i + 1) * size);
    const path = join(folder, '.groups', `${kind}-${i + 1}.js`);
    writeFileSync(join(root, path), part.map((file) => `import '../${file}';\n`).join(''));
    return path;
  });
}

/**
 * Whether a file may share a worker: it is of the commit run, it runs no suite of the testkit, it
 * has no hooks, which would apply to the whole worker, and it declares its tests before any
 * `await`. Nightly files repeat tests of others under the same titles, and a worker may have a
 * title once.
 */
function mayShare(folder, file) {
  const path = join(root, folder, file);
  const { files, imports } = reached(path);
  return (
    kindOf(join(folder, file)) !== 'page' &&
    !isNightly(file) &&
    ![...imports].some((name) => name.startsWith('@trunkline/transport-testkit')) &&
    !/\btest\.(after|before)/.test(moduleOf(path).text) &&
    ![...files].some((each) => /^(const .*= )?\(?await /m.test(moduleOf(each).text))
  );
}

/** Returns the test files of a package, relative to its folder. */
function testFiles(folder) {
  const [within, ending] = folder === '.' ? ['scripts', '.test.mjs'] : ['dist', '.test.js'];
  const found = filesBelow(join(root, folder, within)).filter((file) => file.endsWith(ending));
  return found.map((file) => `${within}/${file}`).sort();
}

const isNightly = (file) => /\.nightly\.test\.m?js$/.test(file);

/** Returns the kind of a compiled test file, whose path is relative to the root. */
export function kindOf(path) {
  const imports = [...reached(join(root, path)).imports];
  if (imports.includes('playwright-core')) return 'page';
  return imports.some((name) => IO.test(name)) ? 'io' : 'pure';
}

/**
 * Returns the files of a package that a file imports, itself included, and the names that all of
 * these import.
 */
function reached(file, files = new Set(), imports = new Set()) {
  files.add(file);
  for (const name of moduleOf(file).imports) {
    imports.add(name);
    const next = join(dirname(file), name);
    if (name.startsWith('.') && !files.has(next) && existsSync(next)) reached(next, files, imports);
  }
  return { files, imports };
}

/** What a compiled file imports, or starts as a program. */
const IMPORTS =
  /^\s*(?:import|export)\b[^;'"]*?from\s*'([^']+)'|^\s*import\s*'([^']+)'|\bimport\('([^']+)'\)|\bnew URL\('([^']+\.js)', import\.meta\.url\)/gm;

const modules = new Map();

/** Returns the text of a compiled file and the names that it imports. */
function moduleOf(file) {
  if (!modules.has(file)) {
    const text = readFileSync(file, 'utf8');
    const imports = Array.from(text.matchAll(IMPORTS), (match) => match.slice(1).find(Boolean));
    modules.set(file, { text, imports });
  }
  return modules.get(file);
}
