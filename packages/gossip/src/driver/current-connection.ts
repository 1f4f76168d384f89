// The connection to a peer that is in use now. ConnectedMembers owns one for each peer; its
// PeerOutbox uses it, too. Tested through whole nodes.

import type { PeerInfo, Peers } from '@trunkline/peers';
import type { AnyTransport, Remote } from '@trunkline/transport-core';

/**
 * The connection to a peer. Another connection of the same peer may replace it at any time. While
 * the peer is recorded as a neighbor on any topic (`keep`), it is kept open even if it is idle.
 */
export class CurrentConnection {
  /** The connection in use when it was last looked up; it may be closed. Set by `refresh`. */
  remote: Remote;
  readonly #transport: AnyTransport;
  readonly #peers: Pick<Peers, 'get'>;
  readonly #nodeId: string;
  readonly #instance: string;
  /** The topics on which the peer is a neighbor. */
  readonly #topics = new Set<string>();
  /** Releases the hold on `remote`; undefined if there is none. */
  #release: (() => void) | undefined = undefined;

  constructor(
    transport: AnyTransport,
    peers: Pick<Peers, 'get'>,
    { nodeId, instance, remote }: PeerInfo,
  ) {
    this.#transport = transport;
    this.#peers = peers;
    this.#nodeId = nodeId;
    this.#instance = instance;
    this.remote = remote;
  }

  /** The connection to use now: `remote` until it closes; undefined if there is none. */
  get current(): Remote | undefined {
    return this.remote.closed ? this.refresh() : this.remote;
  }

  /**
   * Looks up again which connection to the peer is in use, because another may have replaced it.
   * Returns undefined if there is none, or if the peer has restarted (another instance).
   */
  refresh(): Remote | undefined {
    const peer = this.#peers.get(this.#nodeId);
    if (peer === undefined || peer.instance !== this.#instance) return undefined;
    if (peer.remote !== this.remote) {
      this.remote = peer.remote;
      this.#hold();
    }
    return peer.remote;
  }

  /**
   * Records that the peer has become a neighbor on a topic, or is no longer one. GossipDriver calls
   * it only for overlays that hold connections (`OverlayFactory.holds`).
   */
  keep(topic: string, isNeighbor: boolean): void {
    if (isNeighbor) this.#topics.add(topic);
    else this.#topics.delete(topic);
    if (this.#topics.size === 0 || this.#release === undefined) this.#hold();
  }

  /** Ends the hold, because the peer is gone. */
  close(): void {
    this.#topics.clear();
    this.#hold();
  }

  /** Moves the hold to the connection in use, or ends it. */
  #hold(): void {
    this.#release?.();
    this.#release = this.#topics.size === 0 ? undefined : this.#transport.hold(this.remote);
  }
}
