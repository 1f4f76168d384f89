// Hunts mutants, several at a time, each in a process of its own.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Catch, Hunt } from './hunt-child.ts';
import { type Mutant, staleness } from './mutant.ts';

export interface Hunted extends Catch {
  readonly mutant: Mutant;
  /** The reason if the process gave no answer. */
  readonly trouble?: string | undefined;
}

/**
 * Hunts each mutant for at most `seeds` seeds. Returns the results in the order of the mutants;
 * `each` receives them as they finish.
 */
export async function huntAll(
  mutants: readonly Mutant[],
  { seeds, parallel, each }: { seeds: number; parallel: number; each?: (hunted: Hunted) => void },
): Promise<Hunted[]> {
  const results: Hunted[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < mutants.length; at = next++) {
      const hunted = await hunt(mutants[at]!, seeds);
      results[at] = hunted;
      each?.(hunted);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return results;
}

async function hunt(mutant: Mutant, seeds: number): Promise<Hunted> {
  const stale = staleness(mutant);
  if (stale !== undefined) return { mutant, trouble: stale, took: 0 };
  const asked: Hunt = { mutant, seeds };
  const child = spawn(process.execPath, ['--no-warnings', CHILD, JSON.stringify(asked)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  let out = '';
  let err = '';
  child.stderr.on('data', (chunk) => (err += chunk));
  child.stdout.on('data', (chunk) => {
    out += chunk;
    // The child may still be busy with the consequences of the failure.
    if (out.includes('\n')) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  try {
    return { mutant, ...(JSON.parse(out) as Catch) };
  } catch {
    return {
      mutant,
      trouble: err.trim().slice(0, 500) || `no answer within ${PATIENCE / 1_000} s`,
      took: 0,
    };
  }
}

const CHILD = fileURLToPath(new URL('hunt-child.js', import.meta.url));
/** Milliseconds for one mutant. */
const PATIENCE = 300_000;
