// The messages between peers: requests for addresses, and statuses. Connects PeerExchange and
// StatusSync to the wire protocol.

import {
  type AnyTransport,
  type Clock,
  type OneWayName,
  type Random,
  type Remote,
  type RequestInput,
  type Server,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import type { BookAddress } from '../book/book-entry.ts';
import type { AddressList } from '../exchange/address-list.ts';
import { PeerExchange, readAddressEntries } from '../exchange/peer-exchange.ts';
import { decodeStatus, encodeStatus, LONGEST_STATUS, peersProtocol } from '../protocol.ts';
import { PullRation } from '../status/pull-ration.ts';
import { StatusSync } from '../status/status-sync.ts';
import type { Peer } from './peer-table.ts';
import type { Visits } from './visits.ts';

/** A node that reports addresses, and the connection over which it does so. */
export interface AddressSource {
  readonly nodeId: string;
  readonly remote: Remote;
}

/**
 * The node for which a Conversation speaks: supplies its peers and addresses, and receives what
 * peers report.
 */
export interface ConversationHost {
  peerOf(remote: Remote): Peer | undefined;
  peer(nodeId: string): Peer | undefined;
  readonly peers: Iterable<Peer>;
  readonly visits: Visits;
  /** The addresses to send to a peer that asks for some. */
  addresses(seed: boolean): BookAddress[];
  told(entries: readonly BookAddress[], by: AddressSource): void;
  /** Called when a peer violated the protocol: disconnects it, and bans it if `ban` is set. */
  abused(peer: Peer, error: TransportError, ban: boolean): void;
  /** Called when a peer behaved well. */
  good(peer: Peer): void;
  /** Called when a peer sent something malformed. */
  bad(peer: Peer): void;
  /** Returns false if the new status can't be read. */
  statusChanged(nodeId: string): boolean;
}

export interface ConversationOptions {
  readonly transport: AnyTransport;
  readonly exchange: {
    readonly enabled: boolean;
    readonly interval: number;
    readonly seed: boolean;
  };
  readonly statusInterval: number;
  /** Whether there is a codec for the statuses of peers. */
  readonly hasStatus: boolean;
}

export class Conversation {
  readonly exchange: PeerExchange;
  readonly status: StatusSync;
  readonly #host: ConversationHost;
  readonly #options: ConversationOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  /**
   * Mounted even without anything to exchange, because it is this protocol that makes this node a
   * peer to others.
   */
  readonly #mount: Transport<typeof peersProtocol>;
  readonly #server: Server;
  /** The rations of connected peers whose status was pulled. */
  readonly #rations = new Map<string, PullRation>();

  constructor(host: ConversationHost, options: ConversationOptions) {
    const { transport, exchange, statusInterval } = options;
    this.#host = host;
    this.#options = options;
    this.#clock = transport.clock;
    this.#random = transport.random;
    this.#mount = transport.mount(peersProtocol);
    this.exchange = new PeerExchange({
      random: this.#random,
      interval: exchange.interval,
      seed: exchange.seed,
    });
    this.status = new StatusSync({
      random: this.#random,
      now: this.#clock.now(),
      interval: statusInterval,
    });
    this.#server = serve(this.#mount, {
      request: (_, { from }) => this.#requested(from),
      addresses: (list, { from }) => this.#received(list, from),
      status: ({ seq }, { from }) => this.#heard(seq, from),
      pull: () => encodeStatus(this.status.seq, this.status.own),
    });
  }

  get due(): number {
    return Math.min(
      this.#options.exchange.enabled ? this.exchange.wakeAt : Number.POSITIVE_INFINITY,
      this.status.due,
    );
  }

  connected(peer: Peer, now: number): void {
    const { direction } = peer.main.remote;
    const { nodeId, persistent } = peer;
    this.exchange.handle(now, { type: 'connected', nodeId, direction, persistent });
    this.status.connected(peer.nodeId, peer.instance, now);
    if (this.status.seq > 0) this.#tell(peer, this.status.seq);
  }

  /** Returns whether the peer had a status. */
  gone(peer: Peer, now: number): boolean {
    this.exchange.handle(now, { type: 'gone', nodeId: peer.nodeId });
    this.#rations.delete(peer.nodeId);
    return this.status.gone(peer.nodeId);
  }

  /** Asks a full node for addresses, over a connection that it closes after its answer. */
  visit(remote: Remote): void {
    this.#say(remote, 'request', EMPTY);
  }

  /** @param wanted whether more addresses are wanted. */
  wake(now: number, wanted: boolean): void {
    if (this.#options.exchange.enabled) {
      this.exchange.handle(now, { type: 'wake', wanted });
      this.#exchange();
    }
    const beat = this.status.beat(now);
    if (beat !== undefined) for (const peer of this.#host.peers) this.#tell(peer, beat.seq);
  }

  async close(): Promise<void> {
    void this.#server.stop({ grace: 0 });
    await this.#mount.close();
  }

  #tell(peer: Peer, seq: number): void {
    this.#say(peer.main.remote, 'status', { seq });
  }

  /**
   * Sends a message now or not at all. Ignores a TransportError, because it is no failure of this
   * node if the other end uses this channel for another protocol.
   */
  #say<N extends OneWayName<typeof peersProtocol>>(
    to: Remote,
    method: N,
    message: RequestInput<typeof peersProtocol, N>,
  ): void {
    try {
      this.#mount.trySend(to, method, message);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
    }
  }

  #requested(from: Remote): void {
    if (!this.#options.exchange.enabled) return;
    if (this.#host.visits.conclude(from, 'in', this.#clock.now()) !== undefined)
      return this.#dismiss(from);
    const peer = this.#host.peerOf(from);
    if (peer === undefined) return;
    this.exchange.handle(this.#clock.now(), { type: 'request', nodeId: peer.nodeId });
    this.#exchange(from);
  }

  /** Reads a list of addresses. It is decoded only if this node has asked for one. */
  #received(list: AddressList, from: Remote): void {
    const visited = this.#host.visits.conclude(from, 'out', this.#clock.now());
    if (visited !== undefined) {
      this.#host.told(readAddressEntries(list.read() ?? []), { nodeId: visited, remote: from });
      return this.#leave(from, 'it sent addresses of other nodes and has no room for another peer');
    }
    const peer = this.#host.peerOf(from);
    if (peer === undefined) return;
    this.exchange.handle(this.#clock.now(), { type: 'addresses', nodeId: peer.nodeId, list });
    this.#exchange(from);
  }

  /**
   * Does what peer exchange wants. @param from the connection whose message caused it, which the
   * answer is sent to.
   */
  #exchange(from?: Remote): void {
    const { exchange } = this;
    for (let output = exchange.poll(); output !== undefined; output = exchange.poll()) {
      const peer = this.#host.peer(output.nodeId);
      if (peer === undefined) continue;
      const remote = from ?? peer.main.remote;
      switch (output.type) {
        case 'request':
          this.#say(remote, 'request', EMPTY);
          break;
        case 'answer':
          this.#answer(remote);
          break;
        case 'part':
          this.#part(peer);
          break;
        case 'too_many_requests':
          this.#host.abused(peer, reasonError('flood', 'it requested addresses too often'), false);
          break;
        case 'unsolicited':
          this.#host.abused(
            peer,
            reasonError('flood', 'it sent addresses that were not requested'),
            true,
          );
          break;
        case 'malformed':
          this.#host.bad(peer);
          break;
        case 'addresses':
          this.#host.good(peer);
          this.#host.told(output.entries, { nodeId: peer.nodeId, remote });
          break;
      }
    }
  }

  #answer(to: Remote): void {
    this.#say(to, 'addresses', { addresses: this.#host.addresses(this.#options.exchange.seed) });
  }

  /** Disconnects a peer from a seed. Queued messages are flushed before the connection closes. */
  #part(peer: Peer): void {
    for (const { remote } of peer.links)
      this.#leave(remote, 'a seed answers one request and then disconnects');
  }

  /** Sends addresses to a visitor, and closes its connection in an orderly way. */
  #dismiss(from: Remote): void {
    this.#answer(from);
    this.#leave(
      from,
      'this node has no room for another peer; it has sent addresses of other nodes',
    );
  }

  #leave(remote: Remote, why: string): void {
    void this.#options.transport.disconnect(remote, why).catch(() => {});
  }

  #heard(seq: number, from: Remote): void {
    const peer = this.#host.peerOf(from);
    if (peer === undefined) return;
    if (
      this.#options.hasStatus &&
      this.status.heard(peer.nodeId, peer.instance, seq, this.#clock.now())
    )
      void this.#pull(peer);
  }

  async #pull({ nodeId, instance, main }: Peer): Promise<void> {
    let ration = this.#rations.get(nodeId);
    if (ration === undefined)
      this.#rations.set(nodeId, (ration = new PullRation(this.#clock.now())));
    // The peer repeats its number every 2 s, so the pull is tried again later.
    if (!ration.take(this.#clock.now()))
      return this.status.pullFailed(nodeId, instance, this.#clock.now());
    try {
      const answer = decodeStatus(await this.#mount.send(main.remote, 'pull', EMPTY));
      const now = this.#clock.now();
      if (answer === undefined || (answer.value?.length ?? 0) > LONGEST_STATUS)
        return this.status.pullFailed(nodeId, instance, now);
      const { changed, again } = this.status.pulled(
        nodeId,
        instance,
        answer.seq,
        answer.value,
        now,
      );
      const peer = this.#host.peer(nodeId);
      if (changed && !this.#host.statusChanged(nodeId)) ration.spoiled(now);
      if (again && peer !== undefined) void this.#pull(peer);
    } catch {
      this.status.pullFailed(nodeId, instance, this.#clock.now());
    }
  }
}

const EMPTY: Uint8Array = new Uint8Array();
