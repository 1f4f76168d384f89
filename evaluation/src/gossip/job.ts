// The messages between the pool and a worker: a job and its result.

/** One seed of a scenario of `scenarios/`, which documents the options. */
export interface Job {
  readonly scenario: string;
  readonly seed: number;
  readonly nodes: number;
  readonly cycles?: number | undefined;
  readonly share?: number | undefined;
  readonly book?: number | undefined;
  readonly how?: string | undefined;
}

export interface Result {
  readonly job: Job;
  readonly figures: Readonly<Record<string, number>>;
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
