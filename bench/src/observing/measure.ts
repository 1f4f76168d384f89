// Measures pairs: calls that are observed in some way, and right before or after them the same
// calls that nobody observes, in fresh processes.

import { measurePair } from '../pair.ts';
import type { Figures } from '../stopwatch.ts';
import type { Carrier, Options } from './options.ts';

/** One way to be observed, in one scenario, over one carrier. */
export interface Row {
  readonly carrier: Carrier;
  readonly scenario: string;
  readonly what: What;
}

/** `off` compares calls that nobody observes with those of the checkout before. */
export type What = 'off' | 'interceptors' | 'metrics' | 'spans-1' | 'spans-100';

/** Both figures of a row in each round; `plain` are those of the calls it is compared with. */
export interface Measured extends Row {
  readonly rounds: readonly { readonly observed: Figures; readonly plain: Figures }[];
}

const SCENARIOS: Readonly<Record<What, readonly string[]>> = {
  off: ['s1', 's2', 's3'],
  interceptors: ['s1', 's2', 's3'],
  metrics: ['s2'],
  'spans-1': ['s2'],
  'spans-100': ['s2'],
};

/** Returns the rows in the order of the table; those of `off` need another checkout. */
export function rowsOf({ before, carriers }: Pick<Options, 'before' | 'carriers'>): Row[] {
  return carriers.flatMap((carrier) =>
    (Object.keys(SCENARIOS) as What[])
      .filter((what) => what !== 'off' || before !== undefined)
      .flatMap((what) => SCENARIOS[what].map((scenario) => ({ carrier, scenario, what }))),
  );
}

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function measureRows(
  options: Options,
  progress: (what: string, done: number) => void,
): Promise<Measured[]> {
  const rows = rowsOf(options);
  const measured = rows.map((row) => ({
    ...row,
    rounds: [] as { observed: Figures; plain: Figures }[],
  }));
  // All rows of a scenario of a round share the measurement of the plain calls.
  const groups = [...new Set(rows.map(groupOf))];
  for (let round = 0; round < options.rounds; round++) {
    for (const [at, group] of groups.entries()) {
      progress(
        `round ${round + 1} of ${options.rounds}: ${group}`,
        (round + at / groups.length) / options.rounds,
      );
      const mine = measured.filter((row) => groupOf(row) === group);
      const { carrier, scenario } = mine[0]!;
      const figures = new Map<What | 'plain', Figures>();
      const tasks: (What | 'plain')[] = ['plain', ...mine.map(({ what }) => what)];
      for (const task of rotated(tasks, round))
        figures.set(task, await measureOne(carrier, scenario, task, options));
      const plain = figures.get('plain')!;
      for (const { what, rounds } of mine)
        rounds.push(
          what === 'off'
            ? { observed: plain, plain: figures.get('off')! }
            : { observed: figures.get(what)!, plain },
        );
    }
  }
  return measured;
}

async function measureOne(
  carrier: Carrier,
  scenario: string,
  what: What | 'plain',
  options: Options,
): Promise<Figures> {
  const isPlain = what === 'plain' || what === 'off';
  const adapter = isPlain ? `trunkline-${carrier}` : `trunkline-${carrier}-${what}`;
  const checkout = what === 'off' ? options.before : undefined;
  return (await measurePair(adapter, scenario, { ...options, node: undefined, checkout }))!;
}

function groupOf({ carrier, scenario }: Row): string {
  return `${scenario}, ${carrier}`;
}

/** Each round begins with another task, so that none is always the first. */
function rotated<T>(list: readonly T[], by: number): T[] {
  return list.map((_, at) => list[(at + by) % list.length]!);
}
