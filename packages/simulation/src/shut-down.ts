// The end of a simulation: all nodes stop, and resources that they left open are reported.
// `Simulation.end` calls it once; it owns no state, and drives the loop for the last time.

import type { EventLoop } from './kernel/event-loop.ts';
import type { SimNetwork } from './network/sim-network.ts';
import type { Cluster } from './nodes/cluster.ts';
import type { SimulationLeak } from './nodes/leaks.ts';

/**
 * Stops all nodes, puts back what the simulation has changed in the process, and returns the
 * resources that the nodes left behind. Rejects if a node fails meanwhile or if a rejection is still
 * unhandled.
 *
 * @param hasFailed true if the scenario has failed, even if no drive of the loop has rejected.
 */
export async function shutDown(
  loop: EventLoop,
  network: SimNetwork,
  cluster: Cluster,
  hasFailed: boolean,
): Promise<SimulationLeak[]> {
  const failed = hasFailed || loop.failure !== undefined;
  const leaks: SimulationLeak[] = [];
  try {
    leaks.push(...(await stop(loop, network, cluster, failed)));
  } finally {
    leaks.push(...loop.endings.splice(0).flatMap((end) => end()));
  }
  return failed ? [] : leaks;
}

/**
 * Stops all nodes on a network without faults. After a failure it drops them at once instead: what
 * they do then follows from it, and may take minutes.
 */
async function stop(
  loop: EventLoop,
  network: SimNetwork,
  cluster: Cluster,
  failed: boolean,
): Promise<SimulationLeak[]> {
  loop.trace.recorder?.stop();
  if (failed) {
    cluster.drop();
    await loop.end();
    return [];
  }
  loop.rules.clear();
  network.interceptors.clear();
  network.topology.heal();
  /** The first error of a node while the nodes stop. */
  let found: unknown;
  let leaks: SimulationLeak[];
  try {
    leaks = await cluster.stop(async (promise) => {
      found ??= await settleQuietly(loop, promise);
    });
  } finally {
    found ??= await loop.end();
  }
  if (found !== undefined) throw found;
  return leaks;
}

/**
 * Drives the loop until `promise` settles, for at most {@link CLOSING} ms. A node that hangs while
 * it stops is reported as a leak. Returns the first error of a node during that time.
 */
async function settleQuietly(loop: EventLoop, promise: Promise<unknown>): Promise<unknown> {
  const end = loop.now + CLOSING;
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  let found: unknown;
  // After `forgive`, nodes cannot fail a drive, so a second rejection comes from a step limit or
  // from a function that the search set on the trace, and a third try would be in vain.
  for (let tries = 0; tries < 2; tries++) {
    try {
      await loop.drive(() => settled, end, false);
      break;
    } catch (error) {
      found ??= error;
      loop.forgive();
    }
  }
  if (settled) await promise;
  return found;
}

/**
 * Time limit, in virtual milliseconds, for the stops of all nodes, and again for the close of the
 * transports that are still open.
 */
const CLOSING = 60_000;
