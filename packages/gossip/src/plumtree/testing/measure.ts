// Rounds of broadcasts and their costs, in the metrics of the papers.

import { seededRandom } from '@trunkline/transport-core/testing';
import { Network, type NetworkOptions } from './network.ts';
import { regularOverlay } from './overlay.ts';

/** The figures of one round. */
export interface RoundFigures {
  readonly payloads: number;
  readonly control: number;
  /** Relative message redundancy: payloads / deliveries − 1. */
  readonly redundancy: number;
  /** The highest hop count of all deliveries (the paper's last delivery hop). */
  readonly lastHop: number;
  readonly missed: number;
}

/** The size and settings of a network over a random overlay. */
export interface TrialOptions extends Omit<NetworkOptions, 'random'> {
  readonly degree: number;
  readonly seed: number;
}

/** Creates a network over a random overlay with all links up. */
export function trial({ degree, seed, ...options }: TrialOptions): Network {
  const random = seededRandom(seed);
  const network = new Network({ ...options, random });
  for (const [a, b] of regularOverlay(options.nodes, degree, random)) network.up(a, b);
  return network;
}

/**
 * Lets each sender publish one message, all at the same time; then `duration` milliseconds pass.
 */
export function round(
  network: Network,
  senders: readonly number[],
  duration: number,
): RoundFigures {
  network.resetTraffic();
  for (const sender of senders) network.publish(sender);
  network.run(duration);
  const nodes = network.machines.length;
  let deliveries = 0;
  let lastHop = 0;
  for (const { reached, lastHop: hop } of network.rounds.values()) {
    deliveries += reached.size - 1;
    lastHop = Math.max(lastHop, hop);
  }
  const { payloads, control } = network;
  return {
    payloads,
    control,
    redundancy: payloads / deliveries - 1,
    lastHop,
    missed: senders.length * (nodes - 1) - deliveries,
  };
}

export function mean(rounds: readonly RoundFigures[], of: (round: RoundFigures) => number): number {
  return rounds.reduce((sum, each) => sum + of(each), 0) / rounds.length;
}
