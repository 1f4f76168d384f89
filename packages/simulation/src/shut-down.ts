// The end of a simulation: all nodes stop, and what they left open is reported. It is told by
// `Simulation.close`, and drives the world one last time.

import type { SimNetwork } from './network/sim-network.ts';
import type { Cluster } from './nodes/cluster.ts';
import type { Leak } from './nodes/sim-node.ts';
import type { World } from './world/world.ts';

/**
 * Stops all nodes on a network without faults, and returns what they left behind. Rejects if a node
 * fails meanwhile or if a rejection is still unhandled, but never with an error that a run has
 * already rejected with.
 */
export async function shutDown(
  world: World,
  network: SimNetwork,
  cluster: Cluster,
): Promise<Leak[]> {
  world.rules.clear();
  network.interceptors.clear();
  network.topology.heal();
  // Errors that follow from an earlier failure are not reported: the run has rejected with that
  // failure.
  const { failure } = world;
  if (failure !== undefined) world.forgive();
  const isTold = (error: unknown) =>
    failure !== undefined && (error === failure || error === (failure as Error).cause);
  let found: unknown;
  const leaks = await cluster.stop(async (promise) => {
    found ??= await settleQuietly(world, promise);
  }, isTold);
  found ??= await world.end();
  if (failure === undefined && found !== undefined) throw found;
  return leaks;
}

/**
 * Drives the world until `promise` settles, for at most {@link CLOSING} ms. A node that hangs while
 * it stops is reported as a leak. Returns the first error of a node meanwhile.
 */
async function settleQuietly(world: World, promise: Promise<unknown>): Promise<unknown> {
  const end = world.now + CLOSING;
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  let found: unknown;
  // After `forgive`, only an endless loop makes a drive reject.
  for (let tries = 0; tries < 2; tries++) {
    try {
      await world.drive(() => settled, end, false);
      break;
    } catch (error) {
      found ??= error;
      world.forgive();
    }
  }
  if (settled) await promise;
  return found;
}

/** Virtual milliseconds that nodes have to stop. */
const CLOSING = 60_000;
