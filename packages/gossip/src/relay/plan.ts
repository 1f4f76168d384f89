// Splits the receivers of a long message into parts. One node of each part gets the message, and
// passes it on to the rest of the part in the same way.

import type { Random } from '@trunkline/transport-core';
import { sample } from '../hyparview/chance.ts';
import { MOST_REST } from '../wire/relay-frames.ts';

/** One transfer: the node that gets the message, and the nodes that it passes the message on to. */
export interface Part {
  readonly relay: string;
  readonly rest: readonly string[];
}

/**
 * Splits the nodes at random into `fanout` parts of about equal size, each with a random relay;
 * into more parts if these would be too long. Every part is shorter than the list that it comes
 * from, so the tree is finite, whatever its nodes do.
 */
export function splitRecipients(nodes: readonly string[], fanout: number, random: Random): Part[] {
  const mixed = sample(nodes, nodes.length, random);
  const count = Math.min(nodes.length, Math.max(fanout, Math.ceil(nodes.length / (MOST_REST + 1))));
  return mixed
    .slice(0, count)
    .map((relay, i) => ({ relay, rest: mixed.filter((_, at) => at >= count && at % count === i) }));
}
