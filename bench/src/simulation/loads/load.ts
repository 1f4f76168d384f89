// A load: a program as users of the simulation write them, run in virtual time.

import type { Simulation } from '@trunkline/simulation';

/** A load of the benchmark. */
export interface Load {
  readonly name: string;
  readonly title: string;
  /**
   * Runs the load once in a new simulation, which it returns.
   *
   * @throws Error if it did not do what it should have done.
   */
  run(seed: number): Promise<Simulation>;
}
