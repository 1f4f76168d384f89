// Measures the loads with this checkout and, in the same rounds, with another.

import { Child } from '../child-process.ts';
import { cores } from '../cores.ts';
import type { LoadCommand, LoadFigures, LoadReport } from './load.child.ts';
import type { Load } from './loads/load.ts';

/** The settings of a measurement. */
export interface LoadSetting {
  readonly loads: readonly Load[];
  /** The URL of the folder of the checkout to compare with; undefined without one. */
  readonly before: string | undefined;
  readonly rounds: number;
  /** Milliseconds of CPU time of a measurement, after a warm-up twice as long. */
  readonly window: number;
}

/** The figures of one load. */
export interface MeasuredLoad {
  readonly load: Load;
  readonly rounds: readonly {
    readonly now: LoadFigures;
    readonly before: LoadFigures | undefined;
  }[];
  /** The share of the time by the owner of the code, 0 to 1. */
  readonly shares: Readonly<Record<string, number>>;
}

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function measureLoads(
  { loads, before, rounds, window }: LoadSetting,
  progress: (what: string, done: number) => void,
): Promise<MeasuredLoad[]> {
  const command = { warmUp: 2 * window, window, profile: false };
  const measured = loads.map((load) => ({ load, rounds: [] as MeasuredLoad['rounds'][number][] }));
  for (let round = 0; round < rounds; round++) {
    for (const [at, { load, rounds: figures }] of measured.entries()) {
      progress(
        `round ${round + 1} of ${rounds}: ${load.name}`,
        (round + at / loads.length) / (rounds + 1),
      );
      const measure = async (root: string) => (await runOnce(load, root, command)).figures!;
      // Each is first in every second round.
      const first = before === undefined || round % 2 === 0 ? await measure(HERE) : undefined;
      const other = before === undefined ? undefined : await measure(before);
      figures.push({ now: first ?? (await measure(HERE)), before: other });
    }
  }
  const results: MeasuredLoad[] = [];
  for (const each of measured) {
    progress(`profile: ${each.load.name}`, rounds / (rounds + 1));
    const { shares } = await runOnce(each.load, HERE, { ...command, profile: true });
    results.push({ ...each, shares: shares! });
  }
  return results;
}

async function runOnce(load: Load, root: string, command: LoadCommand): Promise<LoadReport> {
  const { child } = await Child.start<LoadCommand, LoadReport>({
    name: `the load ${load.name}`,
    script: 'simulation/load.child.js',
    args: [load.name, root],
    core: cores[0],
  });
  try {
    const report = await child.run(command);
    await child.close();
    return report;
  } catch (error) {
    child.kill();
    throw error;
  }
}

/** The folder of this checkout. */
const HERE = new URL('../../../', import.meta.url).href;
