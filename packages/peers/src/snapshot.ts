// A snapshot of the state of peers, as data and as a table.

import { cleanText } from '@trunkline/transport-core/backend';
import type { PeerInfo } from './types.ts';

/** The state of `Peers` at one moment, as plain data. */
export interface PeersSnapshot {
  readonly nodeId: string;
  /** Numbers of ordinary peers, by the end that dialed. */
  readonly inbound: number;
  readonly outbound: number;
  /** Number of persistent targets, connected or not. */
  readonly persistent: number;
  /**
   * Numbers of addresses in the book: all addresses, addresses that were reached, and addresses
   * that were only reported by other nodes.
   */
  readonly book: { readonly size: number; readonly tried: number; readonly fresh: number };
  readonly peers: readonly PeerInfo[];
}

/** Formats a snapshot as a table for people, one line per peer. */
export function formatPeers({
  nodeId,
  inbound,
  outbound,
  persistent,
  book,
  peers,
}: PeersSnapshot): string {
  const head = `node ${nodeId.slice(0, 8)}: ${peers.length} peers (${inbound} in, ${outbound} out, ${persistent} persistent), ${book.size} addresses (${book.tried} tried)`;
  const rows = peers.map((peer) => [
    peer.nodeId.slice(0, 8),
    peer.proven ? 'proven' : 'asserted',
    peer.direction,
    cleanText(peer.addr ?? '–'),
    peer.rtt === undefined ? '–' : `${peer.rtt.toFixed(1)} ms`,
    String(peer.score),
    peer.persistent ? 'yes' : '',
  ]);
  const table = [['node', 'id', 'dir', 'address', 'rtt', 'score', 'persistent'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return [
    head,
    ...table.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    ),
  ].join('\n');
}
