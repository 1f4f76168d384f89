// What a worker is asked for, and what it answers.

/** One seed of a scenario of packages/gossip/src/testing/evaluation; its options are told there. */
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
  /** Of real time. */
  readonly seconds: number;
}

/** In a line. */
export function nameOf({ scenario, seed, nodes, share, book, how }: Job): string {
  const told = [
    share === undefined ? [] : [`${Math.round(share * 100)} %`],
    how === undefined ? [] : [how],
    book === undefined ? [] : [`book of ${book}`],
    [`${nodes} nodes, seed ${seed}`],
  ];
  return `${scenario}: ${told.flat().join(', ')}`;
}

/** The same for jobs that give the same figures. */
export function keyOf({ scenario, seed, nodes, cycles, share, book, how }: Job): string {
  return JSON.stringify([scenario, seed, nodes, cycles ?? null, share ?? null, book ?? null, how ?? null]);
}
