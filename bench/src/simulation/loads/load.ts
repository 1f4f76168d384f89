// A load: a program as users of the simulation write them, run in virtual time. It gets Trunkline's
// packages as an argument, so that the same load runs with the packages of another checkout.

/** The packages that a load uses. */
export interface Packages {
  readonly core: typeof import('@trunkline/transport-core');
  readonly simulation: typeof import('@trunkline/simulation');
  readonly peers: typeof import('@trunkline/peers');
  readonly gossip: typeof import('@trunkline/gossip');
}

/** A load of the benchmark. */
export interface Load {
  readonly name: string;
  readonly title: string;
  /**
   * Runs the load once in a new simulation.
   *
   * @throws Error if it did not do what it should have done.
   */
  run(packages: Packages, seed: number): Promise<LoadRun>;
}

/** The extent of a run. */
export interface LoadRun {
  /** Virtual milliseconds. */
  readonly virtual: number;
  readonly events: number;
}
