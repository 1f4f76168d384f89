// All mutants; run as a program it hunts them and prints the table: node dist/sim/testing/mutants.js [seeds] [part of a name].

import { table } from '../../demo/screen.ts';
import { type Hunted, huntAll } from './hunt.ts';
import type { Mutant } from './mutant.ts';
import { RAFT_MUTANTS } from './raft-mutants.ts';
import { TRANSPORT_MUTANTS } from './transport-mutants.ts';

export const MUTANTS: readonly Mutant[] = [...RAFT_MUTANTS, ...TRANSPORT_MUTANTS];

/** 'mutant, caught after N seeds, by which property', a line each. */
export function mutantsTable(hunted: readonly Hunted[]): string[] {
  const rows = hunted.map(({ mutant, seed, property, trouble, took }) => [
    mutant.name,
    seed === undefined ? '-' : String(seed),
    String(took),
    trouble ?? property ?? 'NOT CAUGHT',
  ]);
  return table([['mutant', 'seeds', 'ms', 'caught by'], ...rows]);
}

if (process.argv[1] !== undefined && import.meta.url.endsWith('/sim/testing/mutants.js') && process.argv[1].endsWith('mutants.js')) {
  const [seeds = '1000', part = ''] = process.argv.slice(2);
  const chosen = MUTANTS.filter(({ name }) => name.includes(part));
  const hunted = await huntAll(chosen, { seeds: Number(seeds), parallel: 2 });
  process.stdout.write(`${mutantsTable(hunted).join('\n')}\n`);
  if (process.env['VERBOSE'] !== undefined) for (const { mutant, message } of hunted) process.stdout.write(`\n${mutant.name}\n${message}\n`);
}
