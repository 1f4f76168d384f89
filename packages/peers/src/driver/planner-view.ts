// The state of a node that its dial planner reads.

import type { PlannerView } from '../dialing/dial-order.ts';
import type { BookKeeper } from './book-keeper.ts';
import type { Peer, PeerTable } from './peer-table.ts';

/** The parts of a node that the planner may read. */
export interface PlannedNode {
  readonly nodeId: string;
  /** True if this node dials only persistent peers on its own initiative. */
  readonly isFixed: boolean;
  readonly peerTable: PeerTable;
  readonly keeper: BookKeeper;
  isCertain(peer: Peer): boolean;
}

/** Returns a view that always shows the present state of the node. */
export function plannerView(node: PlannedNode): PlannerView {
  return {
    // A node that dialed this one and only asserts its id does not count as connected, so that the
    // planner keeps looking for the real node.
    isConnected: (nodeId) => {
      const peer = node.peerTable.peers.get(nodeId);
      return (
        peer !== undefined &&
        (node.isCertain(peer) || peer.links.some(({ dialed }) => dialed !== undefined))
      );
    },
    isOwn: (address) => node.keeper.book.isOwn(address),
    isBanned: (nodeId, now) => nodeId === node.nodeId || node.keeper.book.isBanned(nodeId, now),
    get outbound() {
      return node.peerTable.count('out');
    },
    get news() {
      return node.keeper.book.news;
    },
    whereabouts: (nodeId) =>
      node.keeper.book.alternative(nodeId) ?? node.keeper.book.get(nodeId)?.address,
    pick: (eligible, now) =>
      node.keeper.book.pick(newBias(node.peerTable.count('out')), now, eligible),
    toTest: (now) => (node.isFixed ? undefined : node.keeper.book.toTest(now)),
  };
}

/**
 * Returns the percentage of picks that favor new addresses. It grows with the number of outbound
 * peers, because a well-connected node can afford to try unknown addresses (Tendermint's
 * ensurePeers).
 */
function newBias(outbound: number): number {
  return 10 * Math.min(outbound, 8) + 10;
}
