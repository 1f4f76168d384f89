// Who is connected: links grouped into peers, and of each peer the one link that is used. Pure.

import type { Remote } from '@trunkline/transport-core';

/** One connection to a peer. */
export interface Link {
  readonly remote: Remote;
  /** What was dialled to get it, where this node's planner did; such a link is closed when another is in use. */
  readonly dialled: string | undefined;
  /** Is it to stay though nobody uses it? Else who dialled it closes it when it has been idle (`idleTimeout`). */
  readonly lasting: boolean;
  /** Bytes that had come when its peer was looked at last. */
  received: number;
}

/** A node with at least one link. */
export interface Peer {
  readonly nodeId: string;
  readonly proven: boolean;
  readonly instance: string;
  persistent: boolean;
  /** Persistent or unconditional: it counts in no cap. */
  exempt: boolean;
  /** The network that it comes from, where such are capped. */
  readonly group: string | undefined;
  readonly since: number;
  /** It was lost by chance, and came back. */
  readonly returned: boolean;
  /** Another takes its place: it is parted from, and counts no more. */
  leaving: boolean;
  readonly links: Link[];
  main: Link;
  /** Keeps the link in use from being idle. */
  release: () => void;
}

export class Roster {
  readonly peers = new Map<string, Peer>();
  readonly #self: string;
  readonly #byRemote = new Map<Remote, Peer>();
  /** What `count` gave since somebody came or went. */
  #counts: { readonly in: number; readonly out: number } | undefined;

  constructor(self: string) {
    this.#self = self;
  }

  of(remote: Remote): Peer | undefined {
    return this.#byRemote.get(remote);
  }

  /** A link of a peer that is here, or of a new one, whose first it is. */
  add(peer: Peer, link: Link): void {
    this.#counts = undefined;
    if (!peer.links.includes(link)) peer.links.push(link);
    this.peers.set(peer.nodeId, peer);
    this.#byRemote.set(link.remote, peer);
  }

  /** A link is gone. Gives its peer. */
  remove(remote: Remote): Peer | undefined {
    const peer = this.#byRemote.get(remote);
    if (peer === undefined) return undefined;
    this.#counts = undefined;
    this.#byRemote.delete(remote);
    const at = peer.links.findIndex((link) => link.remote === remote);
    if (at >= 0) peer.links.splice(at, 1);
    if (peer.links.length === 0 && this.peers.get(peer.nodeId) === peer) this.peers.delete(peer.nodeId);
    return peer;
  }

  /** Somebody else has its id: its links are nobody's from now on. Gives them. */
  dismiss(peer: Peer): Link[] {
    this.#counts = undefined;
    this.peers.delete(peer.nodeId);
    for (const link of peer.links) this.#byRemote.delete(link.remote);
    return peer.links.splice(0);
  }

  /**
   * The link that both ends use: where both have dialled, that of the lower id, and the oldest of those; the same at both ends.
   * `isUp`: links that are leaving take no calls.
   */
  elect(peer: Peer, isUp: (remote: Remote) => boolean): Link | undefined {
    const winner = this.#self < peer.nodeId ? 'out' : 'in';
    const up = peer.links.filter((link) => isUp(link.remote));
    return up.find((link) => link.remote.direction === winner) ?? up[0];
  }

  /** A peer's link in use is another, or it counts otherwise. */
  recount(): void {
    this.#counts = undefined;
  }

  /** Ordinary peers, by who dialled the link in use. Asked at every turn, so it is counted once a change. */
  count(direction: 'in' | 'out'): number {
    if (this.#counts === undefined) {
      const counts = { in: 0, out: 0 };
      for (const peer of this.peers.values()) if (!peer.exempt && !peer.leaving) counts[peer.main.remote.direction]++;
      this.#counts = counts;
    }
    return this.#counts[direction];
  }

  countInbound(group: string): number {
    let count = 0;
    for (const peer of this.peers.values()) if (peer.group === group && !peer.exempt && peer.main.remote.direction === 'in') count++;
    return count;
  }
}
