// All mutants. Run as a program, this file hunts them and prints the table: node
// dist/sim/testing/mutants.js [seeds] [part of a name].

import { systemClock } from '@trunkline/transport-core';
import { table } from '../../demo/screen.ts';
import { type Hunted, huntAll } from './hunt.ts';
import type { Mutant } from './mutant.ts';
import { RAFT_MUTANTS } from './raft-mutants.ts';
import { TRANSPORT_MUTANTS } from './transport-mutants.ts';

export const MUTANTS: readonly Mutant[] = [...RAFT_MUTANTS, ...TRANSPORT_MUTANTS];

/**
 * Returns the table: a line for each mutant, with the seeds and the time that it took, and the
 * property that caught it.
 */
export function mutantsTable(hunted: readonly Hunted[]): string[] {
  const rows = hunted.map(({ mutant, seed, property, trouble, took }) => [
    mutant.name,
    seed === undefined ? '-' : String(seed),
    String(took),
    trouble ?? property ?? 'NOT CAUGHT',
  ]);
  return table([['mutant', 'seeds', 'ms', 'caught by'], ...rows]);
}

/**
 * Returns mutants without their last edit. The other edits only prepare it, and must do no harm by
 * themselves.
 */
const halves = (mutants: readonly Mutant[]): Mutant[] =>
  mutants
    .filter(({ edits, scenario }) => edits.length > 1 && scenario !== 'calls')
    .map((mutant) => ({ ...mutant, edits: mutant.edits.slice(0, -1) }));

/**
 * Hunts the mutants. Exit codes: 0 all are caught, 1 one is not, or a preparing edit fails by
 * itself.
 */
async function main(seeds: number, part: string): Promise<number> {
  const chosen = MUTANTS.filter(({ name }) => name.includes(part));
  const began = systemClock.now();
  const hunted = await huntAll(chosen, { seeds, parallel: 2 });
  process.stdout.write(`${mutantsTable(hunted).join('\n')}\n`);
  if (process.env['VERBOSE'] !== undefined)
    for (const { mutant, message } of hunted)
      process.stdout.write(`\n${mutant.name}\n${message}\n`);
  const harmful = (await huntAll(halves(chosen), { seeds: 20, parallel: 2 })).filter(
    ({ seed, trouble }) => seed !== undefined || trouble !== undefined,
  );
  for (const { mutant } of harmful)
    process.stdout.write(`the preparation of '${mutant.name}' fails by itself\n`);
  const caught = hunted.filter(({ seed }) => seed !== undefined).length;
  process.stdout.write(
    `${caught} of ${chosen.length} mutants caught in ${Math.round((systemClock.now() - began) / 1_000)} s\n`,
  );
  return caught === chosen.length && harmful.length === 0 ? 0 : 1;
}

if (
  process.argv[1]?.endsWith('mutants.js') === true &&
  import.meta.url.endsWith('/sim/testing/mutants.js')
) {
  const [seeds = '1000', part = ''] = process.argv.slice(2);
  process.exitCode = await main(Number(seeds), part);
}
