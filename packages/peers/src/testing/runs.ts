// Tests that run on both levels of the simulation, with several seeds on each.

import type { Simulation, SimulationLevel, SimulationOptions } from '@trunkline/simulation';
import { createSimulation } from '@trunkline/simulation';
import ava, { type ExecutionContext } from 'ava';
import type { PeerEvent } from '../types.ts';
import type { TestNode } from './cluster.ts';
import { isNightly, seeds } from './seeds.ts';

/** Options of {@link test}: those of its simulations, and which of them it has. */
export interface TestOptions extends Omit<SimulationOptions, 'seed' | 'level'> {
  /** The number of seeds. */
  readonly count?: number;
  readonly levels?: readonly SimulationLevel[];
}

/**
 * Declares a test that runs in several simulations and may leave nothing behind in any. The nightly
 * run has `count` seeds on each of the levels. A commit has a tenth of the seeds, but at least one,
 * on the first level. Links have a latency of 1 to 20 ms by default.
 */
export function test(
  title: string,
  body: (t: ExecutionContext, sim: Simulation, run: { readonly seed: number }) => Promise<unknown>,
  { count = 3, levels = ['message', 'stream'], ...options }: TestOptions = {},
): void {
  ava.serial(title, async (t) => {
    for (const level of isNightly() ? levels : levels.slice(0, 1))
      for (const seed of seeds(count)) {
        const sim = createSimulation({ seed, level, link: { latency: [1, 20] }, ...options });
        try {
          await body(t, sim, { seed });
          t.deepEqual(await sim.close(), []);
        } catch (error) {
          t.log(`in the simulation of level ${level} with seed ${seed}`);
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
export function rejections(node: TestNode): string[] {
  const told = eventsOf(node, 'rejected').map(({ reason, direction }) => `${reason} ${direction}`);
  return [...new Set(told)];
}
