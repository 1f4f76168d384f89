// The loads of the benchmark, in the order of its table, and the packages that they run with.

import { jsonCalls } from './loads/json-calls.ts';
import type { Load, Packages } from './loads/load.ts';
import { paxos } from './loads/paxos.ts';
import { sharedText } from './loads/shared-text.ts';
import { taskQueue } from './loads/task-queue.ts';

export const LOADS: readonly Load[] = [paxos, taskQueue, jsonCalls, sharedText];

/**
 * Imports Trunkline's packages from a checkout that is built.
 *
 * @param root the URL of its folder, with a final slash.
 */
export async function loadPackages(root: string): Promise<Packages> {
  const load = (name: string) => import(new URL(`packages/${name}/dist/index.js`, root).href);
  const [core, simulation, peers, gossip] = await Promise.all(
    ['transport-core', 'simulation', 'peers', 'gossip'].map(load),
  );
  return { core, simulation, peers, gossip };
}
