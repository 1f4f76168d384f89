// What is measured, and what comes of it.

import type { RelayOptions } from '@trunkline/gossip';
import type { BlobNode } from './node.ts';

export interface Scene {
  /** Besides the publisher. */
  readonly receivers: number;
  /** Undefined: directly to each. */
  readonly relay: RelayOptions | undefined;
}

export interface Spread {
  /** Bytes of the message. */
  readonly size: number;
  /** Milliseconds until half of the others had it, and until the last had. */
  readonly half: number;
  readonly last: number;
  /** Bytes that the publisher sent, and that whichever sent most did. */
  readonly published: number;
  readonly most: number;
}

/** @param arrivals milliseconds from the publishing, one a receiver. */
export function spreadOf(size: number, arrivals: readonly number[], sent: readonly number[]): Spread {
  const times = [...arrivals].sort((a, b) => a - b);
  return { size, half: times[Math.ceil(times.length / 2) - 1]!, last: times.at(-1)!, published: sent[0]!, most: Math.max(...sent) };
}

export function haveMet(nodes: readonly (BlobNode | undefined)[], receivers: number): boolean {
  return nodes.length === receivers + 1 && Array.from(nodes).every((node) => node?.topic.neighbors.length === receivers);
}
