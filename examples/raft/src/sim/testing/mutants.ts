// The bugs of `mutants.txt`. Run as a program, this file hunts them, each in a process of its own,
// and prints what caught it: node dist/sim/testing/mutants.js [seeds] [part of a name].

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { print } from '../../program.ts';
import type { Hunted, World } from './run-seed.ts';

/** A replacement of one text by another in a compiled file. */
export interface Edit {
  /** The path, relative to the root of the repository. */
  readonly file: string;
  /** The text to replace; the file must contain it exactly once. */
  readonly find: string;
  replace: string;
}

/** A bug. */
export interface Mutant {
  readonly name: string;
  /** More than one if the last alone changes nothing. */
  readonly edits: Edit[];
  /** The scenario that shows it. */
  readonly world: World;
}

/** The root of the repository, relative to dist/sim/testing of this example. */
const ROOT = new URL('../../../../../', import.meta.url);
export const MUTANTS = parse(readFileSync(new URL('examples/raft/mutants.txt', ROOT), 'utf8'));

function parse(text: string): readonly Mutant[] {
  const mutants: Mutant[] = [];
  let file = '';
  for (const line of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
    const edits = mutants.at(-1)?.edits ?? [];
    const rest = line.slice(2);
    if (line.startsWith('@ ')) file = rest;
    else if (line.startsWith('- ')) edits.push({ file, find: rest, replace: '' });
    else if (line.startsWith('+ ')) edits.at(-1)!.replace = rest;
    else {
      const [, name = '', world = 'mix'] = /^(.*?)(?: \[(.*)\])?$/.exec(line)!;
      mutants.push({ name, edits: [], world: world as World });
    }
  }
  return mutants;
}

/**
 * Applies the edits of a file to its source. @throws Error if one does not fit, because the code
 * has changed and the mutant must follow.
 */
export function edited(source: string, edits: readonly Edit[]): string {
  for (const { file, find, replace } of edits) {
    const parts = source.split(find);
    if (parts.length !== 2)
      throw new Error(`a stale mutant: ${file} has ${parts.length - 1} times: ${find}`);
    source = parts.join(replace);
  }
  return source;
}

/** Returns the seed and the property that failed; nothing if all seeds passed. */
async function hunt({ world, edits }: Mutant, seeds: number): Promise<Hunted> {
  const program = ['--no-warnings', '--import', MUTATE, RUN, world, String(seeds)];
  const env = { ...process.env, EDITS: JSON.stringify(edits) };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, program, { env, timeout: PATIENCE }, (_, out, err) =>
      resolve(
        out.includes('\n')
          ? JSON.parse(out)
          : { trouble: err.trim().slice(0, 500) || 'no answer in time' },
      ),
    );
    // The child may still be busy with the consequences of the failure.
    child.stdout!.on('data', (chunk) => String(chunk).includes('\n') && child.kill('SIGKILL'));
  });
}

/**
 * Hunts the mutants, two at a time, and checks that the same scenarios pass without a bug. Exit
 * codes: 0 all are caught, 1 one is not, or a scenario fails by itself.
 */
async function main(seeds: number, part: string): Promise<number> {
  const chosen = MUTANTS.filter(({ name }) => name.includes(part));
  const worlds = [...new Set(chosen.map(({ world }) => world))];
  const sound = worlds.map((world) => ({ name: `no bug in '${world}'`, edits: [], world }));
  const queue: Mutant[] = [...chosen, ...sound];
  let failed = 0;
  const work = async () => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const isSound = mutant.edits.length === 0;
      const { seed, property, trouble } = await hunt(mutant, isSound ? 3 : seeds);
      const isRight = trouble === undefined && (seed === undefined) === isSound;
      const what = seed === undefined ? 'all seeds pass' : `seed ${seed}: ${property}`;
      print(`${isRight ? '✔' : '✘'} ${mutant.name}: ${trouble ?? what}`);
      if (!isRight) failed++;
    }
  };
  await Promise.all([work(), work()]);
  print(`${chosen.length} mutants, ${failed} failures`);
  return failed === 0 ? 0 : 1;
}

export const MUTATE = new URL('mutate.js', import.meta.url).href;
const RUN = fileURLToPath(new URL('run-seed.js', import.meta.url));
/** Milliseconds for one mutant. */
const PATIENCE = 300_000;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [seeds = '1000', part = ''] = process.argv.slice(2);
  process.exitCode = await main(Number(seeds), part);
}
