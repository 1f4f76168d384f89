// The setup of a measurement, and its result.

import type { RelayOptions } from '@trunkline/gossip/relay';
import type { BlobNode } from './node.ts';

export interface RelaySetup {
  /** The number of nodes besides the publisher. */
  readonly receivers: number;
  /** The relay options; undefined to send directly to each node. */
  readonly relay: RelayOptions | undefined;
}

export interface Spread {
  /** The size of the message in bytes. */
  readonly size: number;
  /** Milliseconds until half of the other nodes had it, and until the last had. */
  readonly half: number;
  readonly last: number;
  /** Bytes sent by the publisher, and by the node that sent most. */
  readonly published: number;
  readonly most: number;
}

/** @param arrivals milliseconds from publishing, one entry for each receiver. */
export function spreadOf(
  size: number,
  arrivals: readonly number[],
  sent: readonly number[],
): Spread {
  const times = [...arrivals].sort((a, b) => a - b);
  return {
    size,
    half: times[Math.ceil(times.length / 2) - 1]!,
    last: times.at(-1)!,
    published: sent[0]!,
    most: Math.max(...sent),
  };
}

/** Returns whether the publisher and all receivers are up, and all are neighbors of each other. */
export function areConnected(nodes: readonly (BlobNode | undefined)[], receivers: number): boolean {
  return (
    nodes.length === receivers + 1 &&
    Array.from(nodes).every((node) => node?.topic.neighbors.length === receivers)
  );
}
