// Runs one test on both levels of the simulation, with several seeds on each.

import type { Simulation, SimulationLevel, SimulationOptions } from '@trunkline/simulation';
import { createSimulation } from '@trunkline/simulation';
import ava, { type ExecutionContext } from 'ava';
import type { PeerEvent } from '../types.ts';
import type { TestNode } from './cluster.ts';
import { isNightly, seeds } from './seeds.ts';

/** One run of a test: a seed and a level of the simulation. */
export interface Run {
  readonly seed: number;
  readonly level: SimulationLevel;
  /** A name for the messages of assertions. */
  readonly name: string;
}

/**
 * Returns the runs of a test. The nightly run has `count` seeds on each of the levels. A commit has
 * a tenth of the seeds, but at least one, on the first level.
 */
export function runs(count = 3, levels: readonly SimulationLevel[] = ['message', 'stream']): Run[] {
  return (isNightly() ? levels : levels.slice(0, 1)).flatMap((level) =>
    seeds(count).map((seed) => ({ seed, level, name: `${level}, seed ${seed}` })),
  );
}

/** Creates the simulation of a run, whose links have a latency of 1 to 20 ms. */
export function simulationOf(
  { seed, level }: Run,
  options: Omit<SimulationOptions, 'seed' | 'level'> = {},
): Simulation {
  return createSimulation({ seed, level, link: { latency: [1, 20] }, ...options });
}

/** Options of {@link test}: those of its simulations, and which runs it has. */
export interface TestOptions extends Omit<SimulationOptions, 'seed' | 'level'> {
  readonly count?: number;
  readonly levels?: readonly SimulationLevel[];
}

/** Declares a test with a simulation for each of its runs, in which it may leave nothing behind. */
export function test(
  title: string,
  body: (t: ExecutionContext, sim: Simulation, run: Run) => Promise<unknown>,
  { count, levels, ...options }: TestOptions = {},
): void {
  ava.serial(title, async (t) => {
    for (const run of runs(count, levels)) {
      const sim = simulationOf(run, options);
      try {
        await body(t, sim, run);
        t.deepEqual(await sim.close(), []);
      } catch (error) {
        t.log(`in the run ${run.name}`);
        throw error;
      }
    }
  });
}

type EventOf<T extends PeerEvent['type']> = Extract<PeerEvent<any>, { readonly type: T }>;

/** Returns the events of a node that have the given type. */
export function eventsOf<T extends PeerEvent['type']>(node: TestNode, type: T): EventOf<T>[] {
  return node.events.filter((event) => event.type === type) as EventOf<T>[];
}

/** Returns the distinct reasons and directions of a node's rejections, such as 'full in'. */
export function rejections({ events }: Pick<TestNode, 'events'>): string[] {
  return [
    ...new Set(
      events.flatMap((event) =>
        event.type === 'rejected' ? [`${event.reason} ${event.direction}`] : [],
      ),
    ),
  ];
}
