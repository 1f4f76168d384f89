// Tracks the connected peers, and finds the peer that a message came from. It owns the records of
// the peers, and follows the events of peers.

import type { PeerEvent, PeerInfo, Peers } from '@trunkline/peers';
import { type AnyTransport, type Remote, TransportError } from '@trunkline/transport-core';

/** A connected peer. */
export interface Member {
  readonly nodeId: string;
  readonly instance: string;
  readonly connection: CurrentConnection;
}

/** The records of the connected peers, by node id and by connection. */
export class MemberTable<M extends Member> {
  /** The connected peers by node id. */
  readonly members = new Map<string, M>();
  readonly #peers: Peers<any>;
  readonly #came: (peer: PeerInfo) => M;
  readonly #went: (member: M, cause: TransportError) => void;
  readonly #byInstance = new Map<string, M>();
  /**
   * The last sender and its connection: all messages in one chunk come from the same peer, so the
   * peer is looked up only once. Undefined after a peer has connected or disconnected.
   */
  #last: M | undefined = undefined;
  #lastRemote: Remote | undefined = undefined;
  #events: AsyncIterableIterator<PeerEvent<unknown>> | undefined = undefined;

  /**
   * @param came is called when a peer connects, and returns the record to keep for it
   * @param went is called when a peer is gone
   */
  constructor(
    peers: Peers<any>,
    came: (peer: PeerInfo) => M,
    went: (member: M, cause: TransportError) => void,
  ) {
    this.#peers = peers;
    this.#came = came;
    this.#went = went;
  }

  /** Starts with the peers that are connected already, then follows the events of peers. */
  start(): void {
    this.#sync();
    this.#events = this.#peers.events();
    void this.#follow(this.#events);
  }

  close(): void {
    void this.#events?.return?.();
    for (const member of [...this.members.values()]) this.#remove(member, CLOSED);
  }

  /**
   * Returns the peer behind a connection. A message may arrive before the event about its sender
   * has been read.
   */
  of(remote: Remote): M | undefined {
    return remote === this.#lastRemote && this.#last !== undefined
      ? this.#last
      : this.#find(remote);
  }

  #find(remote: Remote): M | undefined {
    const { nodeId, instance } = remote;
    const known = nodeId === undefined ? this.#byInstance.get(instance) : this.members.get(nodeId);
    if (known?.instance === instance) {
      this.#lastRemote = remote;
      this.#last = known;
      return known;
    }
    this.#sync();
    return nodeId === undefined ? this.#byInstance.get(instance) : this.members.get(nodeId);
  }

  /** Returns the peer with that id if it is connected now. */
  get(nodeId: string): M | undefined {
    const known = this.members.get(nodeId);
    if (known !== undefined) return known;
    const peer = this.#peers.get(nodeId);
    return peer === undefined ? undefined : this.#add(peer);
  }

  async #follow(events: AsyncIterableIterator<PeerEvent<unknown>>): Promise<void> {
    for await (const event of events) {
      if (event.type === 'up') this.get(event.peer.nodeId);
      else if (event.type === 'down') this.#down(event.nodeId, event.cause);
      else if (event.type === 'lagged') this.#sync();
    }
    for (const member of [...this.members.values()]) this.#remove(member, CLOSED);
  }

  /**
   * Processes a disconnect. By this time, the peer may have reconnected and may already be
   * registered again.
   */
  #down(nodeId: string, cause: TransportError): void {
    const member = this.members.get(nodeId);
    if (member === undefined) return;
    const peer = this.#peers.get(nodeId);
    const { instance, connection } = member;
    if (peer !== undefined && peer.instance === instance && !connection.remote.closed) return;
    this.#remove(member, cause);
    if (peer !== undefined) this.#add(peer);
  }

  #sync(): void {
    const peers = new Map(this.#peers.list().map((peer) => [peer.nodeId, peer]));
    for (const member of [...this.members.values()]) {
      if (peers.get(member.nodeId)?.instance !== member.instance)
        this.#remove(member, new TransportError('unavailable', `node ${member.nodeId} is gone`));
    }
    for (const peer of peers.values()) if (!this.members.has(peer.nodeId)) this.#add(peer);
  }

  #add(peer: PeerInfo): M {
    const member = this.#came(peer);
    this.#last = undefined;
    this.members.set(peer.nodeId, member);
    this.#byInstance.set(peer.instance, member);
    return member;
  }

  #remove(member: M, cause: TransportError): void {
    if (this.members.get(member.nodeId) !== member) return;
    this.#last = undefined;
    this.members.delete(member.nodeId);
    if (this.#byInstance.get(member.instance) === member) this.#byInstance.delete(member.instance);
    this.#went(member, cause);
  }
}

const CLOSED = new TransportError('shutdown', 'gossip, its peers or its transport were closed');

// Keeps connections to neighbors on any topic open even if they are idle for a while. It owns one
// hold for each neighbor; `set` adds and removes neighbors, and `wake` must be called at the time
// `due`.

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
