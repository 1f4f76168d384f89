// Who passes a long message on to whom: its recipients in parts, of each of which one is sent it and sees to the rest, in the same way.

import type { Random } from '@trunkline/transport-core';
import { sample } from '../hyparview/chance.ts';

/** One transfer: to whom, and to whom that one passes it on. */
export interface Part {
  readonly relay: string;
  readonly rest: readonly string[];
}

/** Nodes of one part at most, beside its relay: 32 KiB of ids. */
export const MOST_REST = 1_024;

/**
 * So many parts as equal as can be, who is in which and who its relay is by chance; more parts where they would be too long. As every list is
 * shorter than the one that it was made of, the tree ends, whatever its nodes do.
 */
export function splitRecipients(nodes: readonly string[], fanout: number, random: Random): Part[] {
  const mixed = sample(nodes, nodes.length, random);
  const count = Math.min(nodes.length, Math.max(fanout, Math.ceil(nodes.length / (MOST_REST + 1))));
  return mixed.slice(0, count).map((relay, i) => ({ relay, rest: mixed.filter((_, at) => at >= count && at % count === i) }));
}
