// The setup of a measurement, and its result.

import type { RelayOptions } from '@trunkline/gossip/relay';
import type { BlobNode } from './node.ts';

export interface RelaySetup {
  /** The number of nodes besides the publisher. */
  readonly receivers: number;
  /** The relay options; undefined to send directly to each node. */
  readonly relay: RelayOptions | undefined;
}

export type Spread = {
  /** Milliseconds until half of the other nodes had it, and until the last had. */
  readonly half: number;
  readonly last: number;
  /** Copies sent by the publisher, and by the node that sent most. */
  readonly published: number;
  readonly most: number;
};

/**
 * @param arrivals milliseconds from publishing, one entry for each receiver.
 * @param sent bytes that each node has sent; the first is the publisher.
 */
export function spreadOf(
  size: number,
  arrivals: readonly number[],
  sent: readonly number[],
): Spread {
  const times = [...arrivals].sort((a, b) => a - b);
  return {
    half: times[Math.ceil(times.length / 2) - 1]!,
    last: times.at(-1)!,
    published: sent[0]! / size,
    most: Math.max(...sent) / size,
  };
}

/** Returns whether the publisher and all receivers are up, and all are neighbors of each other. */
export function areConnected(nodes: readonly (BlobNode | undefined)[], receivers: number): boolean {
  return (
    nodes.length === receivers + 1 &&
    Array.from(nodes).every((node) => node?.topic.neighbors.length === receivers)
  );
}
