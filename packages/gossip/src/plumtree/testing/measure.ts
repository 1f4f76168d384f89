// Rounds of broadcasts and their costs, in the metrics of the papers.

import { seededRandom } from '@trunkline/transport-core/testing';
import { Network, type NetworkOptions } from './network.ts';
import { regularOverlay } from './overlay.ts';

/** Creates a network over a random overlay with all links up. */
export function trial({
  degree,
  seed,
  ...options
}: Omit<NetworkOptions, 'random'> & { readonly degree: number; readonly seed: number }): Network {
  const random = seededRandom(seed);
  const network = new Network({ ...options, random });
  for (const [a, b] of regularOverlay(options.nodes, degree, random)) network.up(a, b);
  return network;
}

/**
 * Lets each sender publish one message, all at the same time; then `duration` milliseconds pass.
 * Returns the relative message redundancy (payloads / deliveries − 1), the highest hop count of all
 * deliveries (the paper's last delivery hop), and the deliveries that did not happen.
 */
export function round(network: Network, senders: readonly number[], duration: number) {
  network.resetTraffic();
  for (const sender of senders) network.publish(sender);
  network.run(duration);
  const rounds = [...network.rounds.values()];
  const deliveries = rounds.reduce((sum, { reached }) => sum + reached.size - 1, 0);
  const { payloads, control } = network;
  return {
    payloads,
    control,
    redundancy: payloads / deliveries - 1,
    lastHop: Math.max(...rounds.map(({ lastHop }) => lastHop)),
    missed: senders.length * (network.machines.length - 1) - deliveries,
  };
}
