// The messages between the benchmark and a worker: a job and its result.

export interface Job {
  readonly scenario: string;
  readonly seed: number;
  readonly nodes: number | undefined;
  readonly cycles: number | undefined;
}

export interface Result {
  readonly job: Job;
  /** Violated conditions; empty if everything held. */
  readonly faults: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
  /** Seconds of real time. */
  readonly seconds: number;
  /** Megabytes of heap at the end. */
  readonly megabytes: number;
}
