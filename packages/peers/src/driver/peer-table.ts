// The connected peers: groups connections by node, and picks for each peer the connection to use.
// The table only keeps records. `Links` adds and removes connections, `Links` and `part` set the
// fields of peers, and `PeersDriver` sets `received`. Tested in peer-table.test.ts and
// src/links.test.ts.

import type { Remote } from '@trunkline/transport-core';

/** One connection to a peer. */
export interface PeerConnection {
  readonly remote: Remote;
  /**
   * The address of the dial order that opened the connection; undefined if the other end or the
   * user dialed it. Only a connection with such an address is closed when another one is in use
   * (`Links.#settle`), and when these peers are closed (`PeersDriver.close`).
   */
  readonly dialed: string | undefined;
  /**
   * True if the connection should be kept open when it is idle. Otherwise the end that dialed
   * closes it after `idleTimeout`.
   */
  readonly lasting: boolean;
  /** Number of bytes received up to the last check of the peer. */
  received: number;
}

/** A node with at least one connection. */
export interface Peer {
  readonly nodeId: string;
  readonly proven: boolean;
  readonly instance: string;
  persistent: boolean;
  /**
   * True if the peer is persistent or unconditional, so that it does not count against any limit.
   */
  exempt: boolean;
  /** The network that it comes from, if the number of peers per network is limited. */
  readonly group: string | undefined;
  /** Time at which the first of its connections came up. */
  readonly since: number;
  /** True if it was lost by chance and came back. */
  readonly returned: boolean;
  /**
   * True while `part` disconnects this peer, which then counts against no limit. `Links.up` resets
   * it if a new connection of the peer comes up meanwhile.
   */
  leaving: boolean;
  readonly links: PeerConnection[];
  /** The connection in use: one of `links`, chosen by `elect`. */
  main: PeerConnection;
  /** Releases the hold that keeps the connection in use from being closed as idle. */
  release: () => void;
}

/** The peers of this node and their connections. */
export class PeerTable {
  /** The connected peers by node id. */
  readonly peers = new Map<string, Peer>();
  readonly #self: string;
  readonly #byRemote = new Map<Remote, Peer>();

  /** @param self this node's own id. */
  constructor(self: string) {
    this.#self = self;
  }

  /** Returns the peer behind a connection. */
  of(remote: Remote): Peer | undefined {
    return this.#byRemote.get(remote);
  }

  /** Adds a connection to a peer, which may be new. */
  add(peer: Peer, link: PeerConnection): void {
    peer.links.push(link);
    this.peers.set(peer.nodeId, peer);
    this.#byRemote.set(link.remote, peer);
  }

  /** Removes a connection that is gone. Returns its peer. */
  remove(remote: Remote): Peer | undefined {
    const peer = this.#byRemote.get(remote);
    if (peer === undefined) return undefined;
    this.#byRemote.delete(remote);
    const at = peer.links.findIndex((link) => link.remote === remote);
    peer.links.splice(at, 1);
    if (peer.links.length === 0) this.peers.delete(peer.nodeId);
    return peer;
  }

  /** Removes a peer because its id now belongs to another node. Returns its connections. */
  dismiss(peer: Peer): PeerConnection[] {
    this.peers.delete(peer.nodeId);
    for (const link of peer.links) this.#byRemote.delete(link.remote);
    return peer.links.splice(0);
  }

  /**
   * Returns the connection that both ends use. If both ends have dialed, it is the oldest
   * connection that the node with the lower id dialed, so both ends choose the same one. `isUp`
   * excludes connections that are closing and take no calls.
   */
  elect(peer: Peer, isUp: (remote: Remote) => boolean): PeerConnection | undefined {
    const winner = this.#self < peer.nodeId ? 'out' : 'in';
    const up = peer.links.filter((link) => isUp(link.remote));
    return up.find((link) => link.remote.direction === winner) ?? up[0];
  }

  /**
   * Returns the peers that count against the limit for a direction, in the order in which they
   * connected.
   */
  ordinary(direction: 'in' | 'out'): Peer[] {
    return [...this.peers.values()].filter((peer) => isOrdinary(peer, direction));
  }

  /** Returns the number of these peers, or only of those from the network `group`. */
  count(direction: 'in' | 'out', group?: string): number {
    let count = 0;
    for (const peer of this.peers.values())
      if (isOrdinary(peer, direction) && (group ?? peer.group) === peer.group) count++;
    return count;
  }
}

/** Returns true if a peer counts against the limit for the direction of its connection in use. */
export function isOrdinary({ exempt, leaving, main }: Peer, direction: 'in' | 'out'): boolean {
  return !exempt && !leaving && main.remote.direction === direction;
}
