// Who may be a peer: a decision for each link whose hello was read. Pure; what takes time (filters) is asked by the driver afterwards.

import { isNodeId, reasonError, type TransportError } from '@trunkline/transport-core';
import { twinError } from './twins.ts';

/** A link whose hello was read. */
export interface Candidate {
  readonly nodeId: string;
  readonly proven: boolean;
  readonly instance: string;
  readonly direction: 'in' | 'out';
  /** Persistent or unconditional: no cap holds for it. */
  readonly exempt: boolean;
  /** The network that it comes from, where such are capped. */
  readonly group: string | undefined;
}

/** What is known of those who are here. */
export interface Hall {
  readonly nodeId: string;
  isBanned(nodeId: string): boolean;
  peer(nodeId: string): Resident | undefined;
  /** Was this instance of a node replaced by another one not long ago, so that both live? Asked only of one that would replace that. */
  isTwin(nodeId: string, instance: string): boolean;
  /** Ordinary peers that dialled this node, those on their way in included. */
  readonly inbound: number;
  /** How many of them make way for another. */
  readonly yielding: number;
  /** Those of one group. */
  inboundOf(group: string): number;
}

/** Who has the id already. */
export interface Resident {
  readonly instance: string;
  readonly proven: boolean;
  readonly links: number;
  /** None of its links takes calls any more: whoever comes is new. */
  readonly isParting: boolean;
  /** Is it one of `inbound`? */
  readonly isInbound: boolean;
}

export interface Caps {
  readonly maxInbound: number;
  readonly maxPerGroup: number;
}

/** Why the link is not wanted; undefined: it is. The texts are read at both ends. */
export function judge(candidate: Candidate, hall: Hall, caps: Caps): TransportError | undefined {
  const { nodeId, instance, proven, direction } = candidate;
  if (!isNodeId(nodeId)) return reasonError('malformed', `a node id is 64 lower-case hex digits, and the hello asserts '${nodeId.slice(0, 100)}'`);
  if (nodeId === hall.nodeId) return reasonError('self', `node ${nodeId} would be its own peer: two nodes have one identity, or one dialled itself`);
  if (hall.isBanned(nodeId)) return reasonError('denied', `node ${nodeId} is banned`);
  const known = hall.peer(nodeId);
  // An instance is no secret: whoever only repeats it does not join a node that proved itself, nor is joined by that.
  const isSame = known?.instance === instance && known.proven === proven;
  if (isSame && !known.isParting)
    return known.links < LINKS ? undefined : reasonError('full', `node ${nodeId} has ${known.links} links, more than a pool opens`);
  // A node that proves itself replaces whoever has its id: a restart, or one that only asserted it. Of two that assert it the first stays.
  if (known !== undefined && !isSame && !proven)
    return reasonError('duplicate', `node ${nodeId} is connected already; an id that is only asserted belongs to the first`);
  if (known?.proven === true && !isSame && !known.isParting && hall.isTwin(nodeId, instance)) return twinError(nodeId, instance);
  if (direction === 'out' || candidate.exempt || (known !== undefined && !isSame)) return undefined;
  const others = hall.inbound - hall.yielding - (known?.isInbound ? 1 : 0);
  if (others >= caps.maxInbound) return reasonError('full', `${hall.inbound} peers have dialled this node, maxInbound allows no more`);
  const { group } = candidate;
  if (group === undefined || hall.inboundOf(group) < caps.maxPerGroup) return undefined;
  return reasonError('full', `${caps.maxPerGroup} peers of the network ${group} have dialled this node, no more are taken of one network`);
}

/** Links of one peer: as many as the largest pool has, both ways. */
const LINKS = 128;
