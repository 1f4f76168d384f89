// The same test on both levels of the simulation, with several seeds each.

import type { Level, Simulation, SimulationOptions } from '@trunkline/transport-inmem/simulation';
import { createSimulation } from '@trunkline/transport-inmem/simulation';
import type { PeerEvent } from '../types.ts';
import type { TestNode } from './cluster.ts';
import { seeds } from './seeds.ts';

export interface Run {
  readonly seed: number;
  readonly level: Level;
  /** For the messages of assertions. */
  readonly name: string;
}

/** A full run has `count` seeds on each level, a quick run one. */
export function runs(count = 3, levels: readonly Level[] = ['message', 'stream']): Run[] {
  return levels.flatMap((level) => seeds(count).map((seed) => ({ seed, level, name: `${level}, seed ${seed}` })));
}

/** A simulation of a run, its links 1 to 20 ms long. */
export function simulationOf({ seed, level }: Run, options: Omit<SimulationOptions, 'seed' | 'level'> = {}): Simulation {
  return createSimulation({ seed, level, link: { latency: [1, 20] }, ...options });
}

type EventOf<T extends PeerEvent['type']> = Extract<PeerEvent<any>, { readonly type: T }>;

/** A node's events of one type. */
export function eventsOf<T extends PeerEvent['type']>(node: TestNode, type: T): EventOf<T>[] {
  return node.events.filter((event) => event.type === type) as EventOf<T>[];
}
