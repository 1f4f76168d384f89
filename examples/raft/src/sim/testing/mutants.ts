// The bugs of `mutants.txt`. Run as a program, this file hunts them, each in a process of its own,
// and prints the table: node dist/sim/testing/mutants.js [seeds] [part of a name].

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { print, table } from '../../program.ts';
import type { World } from './run-seed.ts';

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

/** A mutant that was hunted, and the seed and property that failed, unless all seeds passed. */
export interface Hunted {
  readonly mutant: Mutant;
  readonly seed?: number;
  readonly property?: string;
  /** The reason if the process gave no answer. */
  readonly trouble?: string;
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

/** Hunts each mutant for at most `seeds` seeds, two at a time. */
async function huntAll(mutants: readonly Mutant[], seeds: number): Promise<Hunted[]> {
  const results: Hunted[] = [];
  const queue = [...mutants.entries()];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      results[next[0]] = await hunt(next[1], seeds);
  };
  await Promise.all([work(), work()]);
  return results;
}

async function hunt(mutant: Mutant, seeds: number): Promise<Hunted> {
  const program = ['--no-warnings', '--import', MUTATE, RUN, mutant.world, String(seeds)];
  const env = { ...process.env, EDITS: JSON.stringify(mutant.edits) };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, program, { env, timeout: PATIENCE }, (_, out, err) =>
      resolve(
        out.includes('\n')
          ? { mutant, ...JSON.parse(out) }
          : { mutant, trouble: err.trim().slice(0, 500) || 'no answer in time' },
      ),
    );
    // The child may still be busy with the consequences of the failure.
    child.stdout!.on('data', (chunk) => String(chunk).includes('\n') && child.kill('SIGKILL'));
  });
}

/** Returns a line for each mutant, with the seeds that it took and the property that caught it. */
function mutantsTable(hunted: readonly Hunted[]): string {
  const rows = hunted.map(({ mutant, seed, property, trouble }) => [
    mutant.name,
    seed === undefined ? '-' : String(seed),
    trouble ?? property ?? 'NOT CAUGHT',
  ]);
  return table([['mutant', 'seeds', 'caught by'], ...rows]);
}

/**
 * Hunts the mutants, and checks that the same scenarios pass without a bug. Exit codes: 0 all are
 * caught, 1 one is not, or a scenario fails by itself.
 */
async function main(seeds: number, part: string): Promise<number> {
  const chosen = MUTANTS.filter(({ name }) => name.includes(part));
  const hunted = await huntAll(chosen, seeds);
  print(mutantsTable(hunted));
  const worlds = [...new Set(chosen.map(({ world }) => world))];
  const sound = worlds.map((world) => ({ name: world, edits: [], world }));
  const failed = (await huntAll(sound, 3)).filter(({ seed, trouble }) => seed ?? trouble);
  for (const { mutant } of failed) print(`the scenario '${mutant.name}' fails without a bug`);
  const caught = hunted.filter(({ seed }) => seed !== undefined).length;
  print(`${caught} of ${chosen.length} mutants caught`);
  return caught === chosen.length && failed.length === 0 ? 0 : 1;
}

export const MUTATE = new URL('mutate.js', import.meta.url).href;
const RUN = fileURLToPath(new URL('run-seed.js', import.meta.url));
/** Milliseconds for one mutant. */
const PATIENCE = 300_000;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [seeds = '1000', part = ''] = process.argv.slice(2);
  process.exitCode = await main(Number(seeds), part);
}
