// Compiles the programs of consumer/ against the packed tarballs with each supported TypeScript,
// the oldest included, as Node and as bundlers resolve modules.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { install, isOurs } from './tarballs.mjs';
import { published, root, run } from './workspace.mjs';

/**
 * The oldest supported TypeScript, the last 5, and those after it; docs/start.md names the first.
 */
const VERSIONS = ['5.4', '5.9', '6', '7'];

const BUNDLER = ['--module', 'esnext', '--moduleResolution', 'bundler'];

/** A title, the project in consumer/, and flags of the compiler. */
const PROGRAMS = [
  ['node', 'node', []],
  ['node, bundler', 'node', BUNDLER],
  ['browser, bundler', 'browser', []],
  ['nats, node', 'nats-node', []],
  ['nats, browser', 'nats-browser', []],
];

/**
 * Returns the title and the outcome of each compilation.
 *
 * @param tarballs the folder with the tarballs of all packages.
 */
export async function types(tarballs) {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-types-'));
  const consumer = join(root, 'consumer');
  const modules = (name) => join(consumer, 'node_modules', name);
  try {
    cpSync(consumer, folder, {
      recursive: true,
      filter: (path) => basename(path) !== 'node_modules',
    });
    for (const path of published) await install(folder, tarballs, basename(path));
    const manifest = JSON.parse(readFileSync(join(consumer, 'package.json'), 'utf8'));
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      if (isOurs(name)) continue;
      const path = join(folder, 'node_modules', name);
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true });
      symlinkSync(modules(name), path);
    }
    const waiting = VERSIONS.flatMap((version) => PROGRAMS.map((program) => [version, ...program]));
    const outcomes = [];
    const compile = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [version, title, project, flags] = next;
        const compiler = join(modules(`typescript-${version}`), 'bin/tsc');
        const args = [compiler, '-p', `tsconfig.${project}.json`, ...flags];
        const { code, output } = await run(process.execPath, args, { cwd: folder, capture: 'all' });
        outcomes.push([`TypeScript ${version}, ${title}`, { well: code === 0, output }]);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, compile));
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
