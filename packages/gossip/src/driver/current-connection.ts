// The connection to a peer. Another connection of the same peer may replace it at any time.

import type { PeerInfo, Peers } from '@trunkline/peers';
import type { Remote } from '@trunkline/transport-core';

export class CurrentConnection {
  readonly #peers: Pick<Peers, 'get'>;
  readonly #nodeId: string;
  readonly #instance: string;
  #remote: Remote;

  constructor(peers: Pick<Peers, 'get'>, { nodeId, instance, remote }: PeerInfo) {
    this.#peers = peers;
    this.#nodeId = nodeId;
    this.#instance = instance;
    this.#remote = remote;
  }

  /** The connection in use when it was last looked up. */
  get remote(): Remote {
    return this.#remote;
  }

  /** The connection to use now; undefined if there is none. */
  get current(): Remote | undefined {
    return this.#remote.closed ? this.refresh() : this.#remote;
  }

  /**
   * Looks up again which connection to the peer is in use, because another may have replaced it.
   */
  refresh(): Remote | undefined {
    const peer = this.#peers.get(this.#nodeId);
    if (peer === undefined || peer.instance !== this.#instance) return undefined;
    this.#remote = peer.remote;
    return peer.remote;
  }
}
