// What a worker is asked for, and what it answers.

export interface Job {
  readonly scenario: string;
  readonly seed: number;
  readonly nodes: number | undefined;
  readonly cycles: number | undefined;
}

export interface Result {
  readonly job: Job;
  /** Empty: all was as it must be. */
  readonly faults: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
  /** Of real time. */
  readonly seconds: number;
  /** Of heap, at the end. */
  readonly megabytes: number;
}
