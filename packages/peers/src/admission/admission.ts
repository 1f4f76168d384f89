// Admission: decides, for each connection whose hello was read, whether it may become a peer. Pure;
// the driver runs the slow checks (filters) afterwards.

import type { TransportError } from '@trunkline/transport-core';
import { isNodeId, reasonError } from '@trunkline/transport-core/backend';
import { twinError } from './twins.ts';

/** A connection whose hello was read. */
export interface Candidate {
  readonly nodeId: string;
  readonly proven: boolean;
  readonly instance: string;
  readonly direction: 'in' | 'out';
  /** True if the node is persistent or unconditional, so that no limit applies to it. */
  readonly exempt: boolean;
  /** The network that it comes from, if the number of peers per network is limited. */
  readonly group: string | undefined;
}

/** The state of this node that `judge` uses. */
export interface AdmissionState {
  readonly nodeId: string;
  isBanned(nodeId: string): boolean;
  peer(nodeId: string): ConnectedPeer | undefined;
  /**
   * Returns true if another instance recently replaced this instance of a node, which means that
   * both are alive. Called only for an instance that would replace the connected instance.
   */
  isTwin(nodeId: string, instance: string): boolean;
  /**
   * Number of ordinary peers that dialed this node, including those whose connection is not up yet.
   */
  readonly inbound: number;
  /** Number of these peers that would make room for another peer. */
  readonly yielding: number;
  /** Number of ordinary inbound peers of one group. */
  inboundOf(group: string): number;
}

/** A connected peer that has the candidate's id. */
export interface ConnectedPeer {
  readonly instance: string;
  readonly proven: boolean;
  readonly links: number;
  /**
   * True if none of its connections takes calls any more. A new connection then counts as a new
   * peer.
   */
  readonly isParting: boolean;
  /** True if it is counted in `inbound`. */
  readonly isInbound: boolean;
}

export interface AdmissionLimits {
  readonly maxInbound: number;
  readonly maxPerGroup: number;
}

/**
 * Returns the reason why a connection is refused, or undefined if it is accepted. Both ends see the
 * text.
 */
export function judge(
  candidate: Candidate,
  state: AdmissionState,
  limits: AdmissionLimits,
): TransportError | undefined {
  const { nodeId, instance, proven, direction } = candidate;
  if (!isNodeId(nodeId))
    return reasonError(
      'malformed',
      `a node id must be 64 lower-case hex digits, but the hello asserts '${nodeId.slice(0, 100)}'`,
    );
  if (nodeId === state.nodeId)
    return reasonError(
      'self',
      `node ${nodeId} would be its own peer: two nodes have the same identity, or a node dialed itself`,
    );
  if (state.isBanned(nodeId)) return reasonError('denied', `node ${nodeId} is banned`);
  const known = state.peer(nodeId);
  // An instance is not a secret. So a connection that only repeats the instance must not be added
  // to a peer that proved its id, nor a proven connection to a peer that did not.
  const isSame = known?.instance === instance && known.proven === proven;
  if (isSame && !known.isParting)
    return known.links < LINKS
      ? undefined
      : reasonError('full', `node ${nodeId} has ${known.links} links, more than one pool opens`);
  // A node that proves its id replaces the peer that has it, because either the node restarted or
  // the peer only asserted the id. If two nodes assert the same id, the first one stays.
  if (known !== undefined && !isSame && !proven)
    return reasonError(
      'duplicate',
      `node ${nodeId} is already connected; an id that is only asserted belongs to its first connection`,
    );
  if (known?.proven === true && !isSame && !known.isParting && state.isTwin(nodeId, instance))
    return twinError(nodeId, instance);
  if (direction === 'out' || candidate.exempt || (known !== undefined && !isSame)) return undefined;
  const others = state.inbound - state.yielding - (known?.isInbound ? 1 : 0);
  if (others >= limits.maxInbound)
    return reasonError(
      'full',
      `${state.inbound} peers that dialed this node are connected, maxInbound allows no more`,
    );
  const { group } = candidate;
  if (group === undefined || state.inboundOf(group) < limits.maxPerGroup) return undefined;
  return reasonError(
    'full',
    `${limits.maxPerGroup} peers of the network ${group} that dialed this node are connected, maxPerGroup allows no more`,
  );
}

/**
 * Maximum number of connections of one peer: the number that the largest pool opens in both
 * directions together.
 */
const LINKS = 128;
