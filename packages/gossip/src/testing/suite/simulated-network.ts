// The suite's nodes in a simulation.

import type { Simulation } from '@trunkline/simulation';
import { cluster, type Run, simulationOf, type TestNode } from '../cluster.ts';
import { CALM, type Network, type NodeOptions } from './network.ts';

export class SimulatedNetwork implements Network {
  readonly name: string;
  readonly nodes = new Map<string, TestNode>();
  readonly #sim: Simulation;

  constructor(run: Run) {
    this.name = run.name;
    this.#sim = simulationOf(run);
  }

  async boot(names: readonly string[], { gossip, peers, to, setup }: NodeOptions): Promise<void> {
    cluster(this.#sim, names, {
      gossip: () => gossip,
      peers: (name) => ({ ...CALM, persistent: to(name), ...peers }),
      setup,
      nodes: this.nodes,
    });
  }

  addressOf(name: string): string {
    return name;
  }

  until(_what: string, condition: () => boolean): Promise<void> {
    return this.#sim.until(condition, LONGEST);
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.#sim.settle(promise, LONGEST);
  }

  async crash(name: string): Promise<void> {
    this.#sim.crash(name);
    this.nodes.delete(name);
  }

  async restart(name: string): Promise<void> {
    this.#sim.restart(name);
  }

  close(): Promise<readonly unknown[]> {
    return this.#sim.close();
  }
}

/** Virtual milliseconds that a wait may take. */
const LONGEST = 120_000;
