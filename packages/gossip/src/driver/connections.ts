// Keeps connections to neighbors on any topic open even if they are idle for a while. It owns one
// hold for each neighbor; `set` adds and removes neighbors, and `wake` must be called at the time
// `due`.

import type { PeerInfo, Peers } from '@trunkline/peers';
import type { AnyTransport, Remote } from '@trunkline/transport-core';

interface ConnectionPin {
  /** The number of topics on which the node is a neighbor, at least 1. */
  topics: number;
  /** The connection that is held; undefined if the node had no connection. */
  remote: Remote | undefined;
  /** Releases the hold on `remote`. */
  release: () => void;
}

/** The holds on connections to neighbors. */
export class ConnectionPins {
  readonly #transport: AnyTransport;
  readonly #remoteOf: (nodeId: string) => Remote | undefined;
  readonly #pins = new Map<string, ConnectionPin>();
  /** Time of the next check for peers that use another connection now. */
  #lookAt = Number.POSITIVE_INFINITY;

  /** @param remoteOf returns the connection of a peer that is in use now */
  constructor(transport: AnyTransport, remoteOf: (nodeId: string) => Remote | undefined) {
    this.#transport = transport;
    this.#remoteOf = remoteOf;
  }

  /** Records that the node has become a neighbor on one more topic, or on one topic fewer. */
  set(nodeId: string, isOne: boolean): void {
    const pin = this.#pins.get(nodeId) ?? { topics: 0, remote: undefined, release: NOTHING };
    pin.topics += isOne ? 1 : -1;
    if (pin.topics <= 0) {
      pin.release();
      this.#pins.delete(nodeId);
      return;
    }
    this.#pins.set(nodeId, pin);
    this.#take(nodeId, pin);
    this.#lookAt = Math.min(this.#lookAt, this.#transport.clock.now() + LOOK);
  }

  /** Time at which to call `wake`; Infinity if nothing is held. */
  get due(): number {
    return this.#pins.size === 0 ? Number.POSITIVE_INFINITY : this.#lookAt;
  }

  /** Moves each hold to the connection that its peer uses now. */
  wake(now: number): void {
    if (now < this.due) return;
    this.#lookAt = now + LOOK;
    for (const [nodeId, pin] of this.#pins) this.#take(nodeId, pin);
  }

  /** Releases all holds. */
  close(): void {
    for (const { release } of this.#pins.values()) release();
    this.#pins.clear();
  }

  #take(nodeId: string, pin: ConnectionPin): void {
    const remote = this.#remoteOf(nodeId);
    if (remote === undefined || remote === pin.remote) return;
    pin.release();
    pin.remote = remote;
    pin.release = this.#transport.hold(remote);
  }
}

/** Milliseconds between two checks. */
const LOOK = 5_000;
const NOTHING = (): void => {};

// The connection to a peer. Another connection of the same peer may replace it at any time.

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
