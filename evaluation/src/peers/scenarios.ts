// The scenarios of peers by name, each with the checks of its outcome, for running many seeds of
// them.

import { attack } from './attack.ts';
import { churn } from './churn.ts';
import { heal } from './heal.ts';

/** Options of a scenario. */
export interface ScenarioOptions {
  readonly seed: number;
  /** The number of nodes. Default 200, for churn 1,000. The attack uses its own numbers. */
  readonly nodes?: number | undefined;
  /** The number of cycles of churn. Default 100. */
  readonly cycles?: number | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

/** The outcome of one seed. */
export interface Row {
  readonly seed: number;
  /** The checks that failed; empty if all passed. */
  readonly faults: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

export type ScenarioName = 'mesh' | 'heal' | 'churn' | 'attack';

export const scenarios: Readonly<Record<ScenarioName, (options: ScenarioOptions) => Promise<Row>>> =
  {
    /**
     * Every node has room for all others. After the partition every pair must be connected within a
     * minute.
     */
    mesh: (options) => healed(options, 'all'),
    /**
     * Default caps. After the partition the nodes must form one graph, with 10 outbound peers each,
     * within a minute.
     */
    heal: (options) => healed(options, 'default'),
    async churn({ seed, nodes = 1_000, cycles = 100, log }) {
      const outcome = await churn({ seed, nodes, cycles, log });
      const split = outcome.cycles.filter(({ parts }) => parts.length > 1).length;
      const alone = outcome.cycles.reduce((sum, cycle) => sum + cycle.alone, 0);
      const faults =
        split > 0 ? [`${split} of ${cycles} cycles ended with more than one graph`] : [];
      const at = (share: number) =>
        outcome.joins[
          Math.min(outcome.joins.length - 1, Math.floor(share * outcome.joins.length))
        ] ?? Number.POSITIVE_INFINITY;
      const { book, dials, outbound, events } = outcome;
      return {
        seed,
        faults,
        figures: {
          split,
          alone,
          'join p50 ms': at(0.5),
          'join p99 ms': at(0.99),
          'join max ms': at(1),
          'dials/min': dials,
          outbound,
          book,
          events,
        },
      };
    },
    async attack({ seed, log }) {
      const { dials, caught, told, fresh, tried, honest, least } = await attack({
        seed,
        honest: 1_000,
        attackers: 10_000,
        log,
      });
      const faults: string[] = [];
      if (caught > dials / 10) faults.push(`${caught} of ${dials} dials went to the attacker`);
      if (least < 1) faults.push('the victim had no honest outbound peer');
      return { seed, faults, figures: { dials, caught, told, fresh, tried, honest, least } };
    },
  };

async function healed(
  { seed, nodes = 200, log }: ScenarioOptions,
  caps: 'all' | 'default',
): Promise<Row> {
  const { grown, joined, healed, parts, wrong, events } = await heal({
    seed,
    nodes,
    caps,
    knows: seed % 2 === 1 ? 'common' : 'earlier',
    log,
  });
  const faults: string[] = [];
  if (parts.length > 1) faults.push(`${parts.length} graphs`);
  if (healed === undefined || healed > MINUTE)
    faults.push(
      healed === undefined
        ? `${wrong} nodes are not as they should be`
        : `healed after ${healed} ms`,
    );
  const figures = {
    'grown ms': grown ?? Number.POSITIVE_INFINITY,
    'one graph ms': joined ?? Number.POSITIVE_INFINITY,
    'healed ms': healed ?? Number.POSITIVE_INFINITY,
    events,
  };
  return { seed, faults, figures };
}

const MINUTE = 60_000;
