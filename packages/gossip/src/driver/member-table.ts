// Tracks the connected peers, and finds the peer that a message came from. It owns the records of
// the peers, and follows the events of peers.

import type { PeerEvent, PeerInfo, Peers } from '@trunkline/peers';
import { type Remote, TransportError } from '@trunkline/transport-core';
import type { CurrentConnection } from './current-connection.ts';

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
