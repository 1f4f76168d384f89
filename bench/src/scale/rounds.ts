// Runs rounds of all points: at each point one carrier after the other, in alternating order, so
// that drift of the machine affects both.

import { loadOf, measureCalls } from './calls.ts';
import { measureConnections } from './connections.ts';
import type { Options } from './options.ts';
import { CARRIERS, type Measured, type Part } from './point.ts';

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  options: Options,
  progress: (what: string, done: number) => void,
): Promise<Measured[][]> {
  const rounds: Measured[][] = [];
  for (let round = 0; round < options.rounds; round++) {
    const order = CARRIERS.map((_, at) => CARRIERS[(at + round) % CARRIERS.length]!);
    const tell = (what: string) =>
      progress(`round ${round + 1} of ${options.rounds}: ${what}`, round / options.rounds);
    const measured: Measured[] = [];
    for (const part of options.parts)
      measured.push(
        ...(part === 'connections'
          ? await connections(options, order, tell)
          : await calls(part, options, order, tell)),
      );
    rounds.push(measured);
  }
  return rounds;
}

async function calls(
  part: Exclude<Part, 'connections'>,
  options: Options,
  order: readonly string[],
  tell: (what: string) => void,
): Promise<Measured[]> {
  const { points, warmUp, window } = options;
  const measured: Measured[] = [];
  for (const at of points[part]) {
    for (const carrier of order) {
      tell(`${part}, ${at}, ${carrier}`);
      measured.push({
        part,
        at,
        carrier,
        figures: await measureCalls(carrier, { ...loadOf(part, at), warmUp, window }),
      });
    }
  }
  return measured;
}

async function connections(
  { points, clients, warmUp, window }: Options,
  order: readonly string[],
  tell: (what: string) => void,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const carrier of order) {
    const found = await measureConnections(
      carrier,
      { counts: points.connections, clients, warmUp, window },
      (open) => tell(`${open} connections, ${carrier}`),
    );
    for (const [at, figures] of found) measured.push({ part: 'connections', at, carrier, figures });
  }
  return measured;
}
