// The slot of this worker, which the primary has assigned.

import cluster from 'node:cluster';
import process from 'node:process';
import { isMainThread, workerData } from 'node:worker_threads';
import { isTagged } from './messages.ts';

/** The environment variable that contains the slot of a process. */
export const SLOT = 'TRUNKLINE_CLUSTER_SLOT';

/**
 * Returns the number of this worker in its cluster, counted from 0. Use it, for example, to give
 * each worker a port or a folder of its own. A worker that replaces another one has the same
 * number. Returns undefined outside of a cluster.
 */
export function clusterSlot(): number | undefined {
  if (!isMainThread)
    return isTagged(workerData) ? (workerData as { slot: number }).slot : undefined;
  const slot = process.env[SLOT];
  // A process that a worker starts inherits the variable, but is not a worker.
  return cluster.worker === undefined || slot === undefined ? undefined : Number(slot);
}
