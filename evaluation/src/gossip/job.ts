// The messages between the pool and a worker, a job and its result, and the input of a scenario.

/** One seed of a scenario of `scenarios/`. */
export interface Job {
  readonly scenario: string;
  readonly seed: number;
  readonly nodes: number;
  /**
   * Number of cycles in which the overlay settles at first (default 50), or number of cycles with
   * churn (default 100).
   */
  readonly cycles?: number | undefined;
  /** Share of the nodes that fail. */
  readonly share?: number | undefined;
  /** Number of entries in each node's address book. */
  readonly book?: number | undefined;
  /** The variant of the scenario. */
  readonly how?: string | undefined;
}

/** Figures by their names. The doc comment of each scenario explains them. */
export type Figures = Readonly<Record<string, number>>;

/** The input of a scenario. */
export interface ScenarioOptions extends Omit<Job, 'scenario'> {
  log(text: string): void;
}

export interface Result {
  readonly job: Job;
  readonly figures: Figures;
  /** Seconds of real time. */
  readonly seconds: number;
}

/** Describes a job in one line. */
export function nameOf({ scenario, seed, nodes, share, book, how }: Job): string {
  const told = [
    share === undefined ? [] : [`${Math.round(share * 100)} %`],
    how === undefined ? [] : [how],
    book === undefined ? [] : [`book of ${book}`],
    [`${nodes} nodes, seed ${seed}`],
  ];
  return `${scenario}: ${told.flat().join(', ')}`;
}

/** Returns a key that is the same for jobs with the same figures. */
export function keyOf({ scenario, seed, nodes, cycles, share, book, how }: Job): string {
  return JSON.stringify([scenario, seed, nodes, cycles, share, book, how]);
}
