// The number of seeds after which the default search finds each planted bug.

import { explore, type Simulation } from '@trunkline/simulation';
import { LOCK_BUGS, lockScenario } from './lock.ts';
import { REPLICATION_BUGS } from './replication-protocol.ts';
import { replicationScenario } from './replication-scenario.ts';

/** A protocol, its bugs and what each does, and its scenario with some of them. */
export interface Protocol {
  readonly name: string;
  readonly bugs: Readonly<Record<string, string>>;
  /** The number of bugs that the median search may miss. */
  readonly missable: number;
  scenario(planted: (bug: string) => boolean): (sim: Simulation) => Promise<void>;
}

export const PROTOCOLS: readonly Protocol[] = [
  { name: 'replication', bugs: REPLICATION_BUGS, missable: 0, scenario: replicationScenario },
  { name: 'lock', bugs: LOCK_BUGS, missable: 1, scenario: lockScenario },
];

/** How a bug was found by several searches. */
export interface Found {
  /** The number of seeds of each search; Infinity if it missed the bug. Ascending. */
  readonly counts: readonly number[];
  /** The profile that found it most often. */
  readonly profile: string | undefined;
}

/** Searches for bugs of a protocol. */
export class Search {
  readonly #protocol: Protocol;
  /** The bugs that change the run of a seed. */
  readonly #relevant = new Map<number, Set<string>>();

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  /**
   * Searches for a bug from several first seeds, with up to `seeds` seeds each and the default
   * profiles.
   *
   * @throws Error if the correct protocol fails.
   */
  async find(bug: string, firsts: number, seeds: number): Promise<Found> {
    const counts: number[] = [];
    const profiles = new Map<string, number>();
    for (let start = 0; start < firsts; start++) {
      // A prime, so that the searches begin with different profiles.
      const first = 1 + 1_009 * start;
      await this.pass(first, seeds);
      const relevant = Array.from({ length: seeds }, (_, at) => first + at).filter((seed) =>
        this.#relevant.get(seed)!.has(bug),
      );
      const scenario = this.#protocol.scenario((name) => name === bug);
      const failure = relevant.length === 0 ? undefined : await failureOf(scenario, relevant);
      counts.push(failure === undefined ? Number.POSITIVE_INFINITY : failure.seed - first + 1);
      const { profile } = failure ?? {};
      if (profile !== undefined) profiles.set(profile, (profiles.get(profile) ?? 0) + 1);
    }
    const [most] = [...profiles].sort((a, b) => b[1] - a[1]);
    return { counts: counts.sort((a, b) => a - b), profile: most?.[0] };
  }

  /**
   * Runs seeds of the correct protocol, and notes the bugs that would change each run. The search
   * for a bug skips all other seeds, which pass like those of the correct protocol.
   *
   * @throws Error if a seed fails.
   */
  async pass(first: number, seeds: number): Promise<void> {
    const missing = Array.from({ length: seeds }, (_, at) => first + at).filter(
      (seed) => !this.#relevant.has(seed),
    );
    if (missing.length === 0) return;
    const failure = await failureOf((sim) => {
      const asked = new Set<string>();
      this.#relevant.set(sim.seed, asked);
      return this.#protocol.scenario((bug) => {
        asked.add(bug);
        return false;
      })(sim);
    }, missing);
    if (failure !== undefined)
      throw new Error(`${this.#protocol.name} without bugs fails: ${failure.error.message}`);
  }
}

/** Returns the first failure of a default search, which is not shrunk. */
async function failureOf(scenario: (sim: Simulation) => Promise<void>, seeds: readonly number[]) {
  const options = { shrink: false, record: 0, irreproducible: 'ignore' } as const;
  return (await explore({ scenario, seeds, ...options })).failed[0];
}
