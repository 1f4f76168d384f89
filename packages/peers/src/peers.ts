/// <reference lib="esnext.disposable" preserve="true" />
// The face of peers: what a user holds.

import { isNodeId, type Protocol, parseTarget, reasonError, spelled, type Transport, TransportError } from '@trunkline/transport-core';
import { knownNodes } from './book/known-nodes.ts';
import type { TopologyDiff } from './dialling/topology.ts';
import { Driver } from './driver/driver.ts';
import { readAddressEntry } from './exchange/address-entry.ts';
import { MOST_ADDRESSES } from './exchange/peer-exchange.ts';
import { NodeTransport } from './node-transport.ts';
import { type PeersOptions, readOptions, readTarget } from './options.ts';
import { LONGEST_STATUS } from './protocol.ts';
import { formatPeers, type PeersSnapshot } from './snapshot.ts';
import type { PeerEvent, PeerInfo } from './types.ts';

/**
 * Peers of a transport: who is connected, by node id, and staying connected to them. Hellos tell this node's id from now on, so make it
 * before the transport has connections: those that live are closed in order. Wrong options are a TypeError naming their path.
 */
export function createPeers<S = unknown>(options: PeersOptions<S>): Peers<S> {
  return new Peers<S>(options);
}

/** What `createPeers` makes. */
export class Peers<S = unknown> implements AsyncDisposable {
  /** This node's own id. */
  readonly nodeId: string;
  /** What this node tells of itself, and what its peers tell. */
  readonly status: PeerStatuses<S>;
  readonly #driver: Driver;

  constructor(options: PeersOptions<S>) {
    const config = readOptions(options);
    this.#driver = new Driver(config);
    this.nodeId = this.#driver.node.nodeId;
    const { node, conversation } = this.#driver;
    this.status = {
      set: (value) => {
        const { status: codec } = node.config;
        if (codec === undefined) throw new TypeError("peers.status.set: there is no codec; give createPeers the option 'status': json(schema), bytes");
        const bytes = value === undefined ? undefined : codec.encode(value);
        if (bytes !== undefined && bytes.length > LONGEST_STATUS) {
          throw new TransportError('resource_exhausted', `peers.status.set: a status has at most ${LONGEST_STATUS} bytes, got ${bytes.length}`);
        }
        conversation.status.set(bytes, node.now());
        node.soon();
      },
      of: (nodeId) => node.statuses.get(nodeId) as S | undefined,
    };
  }

  /** Loads the address book and begins to dial. Rejects where the book is another process's (`failed_precondition`). Listening is the transport's. */
  start(): Promise<void> {
    return this.#driver.start();
  }

  /** Who is connected now. */
  list(): PeerInfo<S>[] {
    return [...this.#driver.peers].map((peer) => this.#driver.node.info(peer) as PeerInfo<S>);
  }

  /** A peer that is connected now. */
  get(nodeId: string): PeerInfo<S> | undefined {
    const peer = this.#driver.peer(nodeId);
    return peer === undefined ? undefined : (this.#driver.node.info(peer) as PeerInfo<S>);
  }

  /** One more persistent peer, '[nodeId@]address'. Another address of a node id that is there takes the place of the old one. */
  add(target: string): void {
    const { node } = this.#driver;
    node.checkTarget(target, 'peers.add');
    const { nodeId } = parseTarget(target);
    if (nodeId !== undefined) node.keeper.book.unban(nodeId);
    node.planner.addPersistent(target);
    this.#driver.topologyChanged();
  }

  /** No persistent peer any more, by node id, address, or both; its links are closed in order. Gives what was removed, as it was written. */
  remove(nodeIdOrTarget: string): string[] {
    const { node } = this.#driver;
    if (!isNodeId(nodeIdOrTarget)) readTarget(nodeIdOrTarget, 'peers.remove');
    const gone = this.#idsOf(nodeIdOrTarget);
    const removed = node.planner.removePersistent(nodeIdOrTarget);
    for (const nodeId of this.#unwanted(nodeIdOrTarget, gone)) this.#part(nodeId, 'it was removed from the peers of the other end');
    this.#driver.topologyChanged();
    return removed;
  }

  /**
   * The whole list of persistent peers: who is new is dialled, who is not on it any more is parted from in order, and a node whose
   * address changed is both. Links to those that stay are not touched.
   */
  setTopology(targets: readonly string[]): TopologyDiff {
    this.#driver.node.checkTargets(targets, 'peers.setTopology');
    const ids = new Map(this.#driver.node.planner.persistent.map((target) => [target, this.#idsOf(target)]));
    const diff = this.#driver.node.planner.setPersistent(targets);
    for (const target of diff.removed) {
      for (const nodeId of this.#unwanted(target, ids.get(target) ?? [])) this.#part(nodeId, 'the topology of the other end has no such peer any more');
    }
    this.#driver.topologyChanged();
    return diff;
  }

  /** The persistent peers, as they were written. */
  get topology(): readonly string[] {
    return this.#driver.node.planner.persistent;
  }

  /**
   * Disconnects a node, a client that proved this id included, and refuses it and forgets its address for `time` milliseconds
   * (default 24 hours, as in Tendermint). Both ends are told `why`, in the error of the connection.
   */
  ban(nodeId: string, time = 24 * 60 * 60_000, why?: string): void {
    if (!isNodeId(nodeId)) throw new TypeError(`peers.ban: takes a node id, 64 lower-case hex digits, got ${JSON.stringify(nodeId)}`);
    if (!(time > 0)) throw new TypeError(`peers.ban: time must be milliseconds above 0, got ${String(time)}`);
    const { node } = this.#driver;
    node.keeper.book.ban(nodeId, node.now(), time);
    const denied = reasonError('denied', `node ${nodeId} was banned${why === undefined ? '' : `: ${why}`}`);
    const peer = node.peer(nodeId);
    if (peer !== undefined) this.#driver.cut(peer, denied);
    for (const remote of node.config.transport.remotes()) if (remote.nodeId === nodeId) node.management.cut(remote, denied);
  }

  /** Takes a ban back. */
  unban(nodeId: string): void {
    this.#driver.node.keeper.book.unban(nodeId);
  }

  /** Tells how a node behaved, `times` over: its `score` follows. What to do about a low one is the caller's: `ban`, or nothing. */
  report(nodeId: string, behaviour: 'good' | 'bad', times = 1): void {
    const { node } = this.#driver;
    if (behaviour !== 'good' && behaviour !== 'bad') throw new TypeError(`peers.report: behaviour must be 'good' or 'bad', got ${String(behaviour)}`);
    if (!(Number.isInteger(times) && times > 0)) throw new TypeError(`peers.report: times must be an integer above 0, got ${String(times)}`);
    node.keeper.trust[behaviour](nodeId, node.now(), times);
  }

  /**
   * At most `count` (1 to 250, default 16) nodes that are not connected and can be dialled by their ids: a random sample of the address book,
   * those first that answered the last dial, those last that did not. Private and banned ones are not among them.
   */
  known(count = 16): string[] {
    if (!(Number.isInteger(count) && count >= 1 && count <= MOST_ADDRESSES)) {
      throw new TypeError(`peers.known: count must be an integer from 1 to ${MOST_ADDRESSES}, got ${String(count)}`);
    }
    const { node } = this.#driver;
    const isFit = (nodeId: string) => node.peer(nodeId) === undefined && !node.config.privateIds.includes(nodeId);
    return knownNodes(node.keeper.book, count, node.now(), isFit);
  }

  /** What peer exchange tells others of where a node is; undefined for one that the address book doesn't have, for private and for bad ones. */
  addressOf(nodeId: string): string | undefined {
    const address = this.#driver.node.keeper.book.told(nodeId)?.address;
    return address === undefined ? undefined : spelled(address);
  }

  /**
   * Takes word of where a node is that `by`, a connected peer, gave in a protocol of the caller's own: as if it came by peer exchange, with
   * the same bounds for what one source can fill, and whether that is on or not. What a peer sent may be anything: it never throws.
   * @returns is an address of that node known now? False where `by` is not connected, too.
   */
  learn(nodeId: string, address: string, by: string): boolean {
    const source = this.#driver.peer(by);
    const read = readAddressEntry({ nodeId, address });
    if (source === undefined || read === undefined) return false;
    this.#driver.told([read.entry], { nodeId: source.nodeId, remote: source.main.remote });
    return this.#driver.node.keeper.book.get(nodeId) !== undefined;
  }

  /**
   * Whether a protocol of your own may dial a node of its own accord. False for nodes that are not listed where the topology is fixed:
   * `maxOutbound: 0` with `exchange: { enabled: false }`, or `membership: 'listed'`. Gossip's discovery and overlays keep to it.
   */
  mayDial(nodeId: string): boolean {
    const { node } = this.#driver;
    return !node.isFixed || node.planner.isPersistent(nodeId);
  }

  /** What happens, those that are connected first. It ends with `close`. A reader that lags misses the oldest events, and is told how many. */
  events(): AsyncIterableIterator<PeerEvent<S>> {
    const { node } = this.#driver;
    const first = this.list().map((peer): PeerEvent => ({ type: 'up', peer }));
    return node.events.follow(first) as AsyncIterableIterator<PeerEvent<S>>;
  }

  /** Resolves when so many peers (default 1) are connected; rejects with `deadline_exceeded` after `timeout` milliseconds (default never), or with the signal's reason. */
  async ready({ peers = 1, timeout = Number.POSITIVE_INFINITY, signal }: ReadyOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const { clock } = this.#driver.node;
    const enough = new AbortController();
    const isReady = () => this.#driver.node.roster.peers.size >= peers;
    if (isReady()) return;
    const events = this.events();
    const onAbort = () => void events.return?.();
    signal?.addEventListener('abort', onAbort, { once: true });
    let isLate = false;
    if (timeout !== Number.POSITIVE_INFINITY) {
      void clock.sleep(timeout, enough.signal).then(
        () => {
          isLate = true;
          onAbort();
        },
        () => {},
      );
    }
    try {
      for await (const _ of events) if (isReady()) return;
    } finally {
      enough.abort();
      signal?.removeEventListener('abort', onAbort);
    }
    signal?.throwIfAborted();
    const size = this.#driver.node.roster.peers.size;
    if (isLate) throw new TransportError('deadline_exceeded', `peers.ready: ${size} of ${peers} peers are connected after ${timeout} ms`);
    throw new TransportError('shutdown', 'peers.ready: these peers were closed');
  }

  /**
   * Another protocol over the same transport, whose targets are node ids; connections are made as they are needed, to nodes whose address is
   * known. With the transport's own protocol it is that transport, by ids: its `close` closes it.
   */
  transport<P extends Protocol>(protocol: P): Transport<P> {
    const { transport } = this.#driver.node.config;
    const own = (transport.protocol as Protocol) === protocol ? (transport as unknown as Transport<P>) : undefined;
    return new NodeTransport<P>(own ?? transport.mount(protocol), this.nodeId);
  }

  /** Peers, the address book and what is being done, as plain data; `formatPeers` prints it. */
  snapshot(): PeersSnapshot {
    const { node } = this.#driver;
    const { book } = node.keeper;
    return {
      nodeId: this.nodeId,
      inbound: node.roster.count('in'),
      outbound: node.roster.count('out'),
      persistent: node.planner.persistent.length,
      book: { size: book.size, tried: book.tried, fresh: book.fresh },
      peers: this.list(),
    };
  }

  /** Parts from the peers that this node dialled, saves the address book, and leaves no timer. The transport goes on. Idempotent. */
  close(): Promise<void> {
    return this.#driver.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  toString(): string {
    return formatPeers(this.snapshot());
  }

  /** The node ids that a persistent target stands for now. */
  #idsOf(nodeIdOrTarget: string): string[] {
    if (isNodeId(nodeIdOrTarget)) return [nodeIdOrTarget];
    const { nodeId, key } = parseTarget(nodeIdOrTarget);
    if (nodeId !== undefined) return [nodeId];
    const peers = [...this.#driver.peers].filter((peer) => peer.links.some((link) => link.dialled !== undefined && parseTarget(link.dialled).key === key));
    return [...new Set([...peers.map((peer) => peer.nodeId), ...this.#driver.node.planner.idsAt(nodeIdOrTarget)])];
  }

  /** Of those that a target stood for: one that was named by its address alone may stand on the list by another. */
  #unwanted(nodeIdOrTarget: string, ids: readonly string[]): string[] {
    if (isNodeId(nodeIdOrTarget) || parseTarget(nodeIdOrTarget).nodeId !== undefined) return [...ids];
    return ids.filter((nodeId) => !this.#driver.node.planner.isPersistent(nodeId));
  }

  /** Its address is forgotten, too: it would be dialled again as an ordinary peer. */
  #part(nodeId: string, reason: string): void {
    const { keeper, config } = this.#driver.node;
    const { transport } = config;
    keeper.book.remove(nodeId);
    for (const remote of this.#driver.node.links(nodeId)) void transport.disconnect(remote, reason).catch(() => {});
  }
}

/** This node's status and its peers'. */
export interface PeerStatuses<S> {
  /** What this node tells of itself from now on; undefined: nothing. At most 64 KiB (`resource_exhausted`). A TypeError without the option `status`; what the codec refuses, it throws. */
  set(value: S | undefined): void;
  /** What a peer that is connected told last. */
  of(nodeId: string): S | undefined;
}

export interface ReadyOptions {
  /** Default 1. */
  readonly peers?: number | undefined;
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
