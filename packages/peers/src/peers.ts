/// <reference lib="esnext.disposable" preserve="true" />
// The `Peers` class, the object that a user of this package works with. It checks arguments, and
// leaves the rest to the driver. Gossip's options.ts checks for some of its methods by name. Tested
// by the tests in src/.

import {
  type MountOptions,
  type Protocol,
  type Resolver,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import {
  cleanText,
  inMs,
  isNodeId,
  parseOptions,
  parseTarget,
  refuseUnknown,
} from '@trunkline/transport-core/backend';
import { spelled } from '@trunkline/transport-core/internal';
import { knownNodes } from './book/address-selection.ts';
import type { TopologyDiff } from './dialing/targets.ts';
import type { Node } from './driver/node.ts';
import { PeersDriver } from './driver/peers-driver.ts';
import { MOST_ADDRESSES, readAddressEntry } from './exchange/address-list.ts';
import { nodeTransport } from './node-transport.ts';
import { type PeersOptions, readOptions, readTarget, updateOptions } from './options.ts';
import { LONGEST_STATUS } from './protocol.ts';
import type { PeerEvent, PeerInfo } from './types.ts';

/**
 * Creates the peers of a transport: they find other nodes, stay connected to them and identify them
 * by node id. Every later hello carries this node's id, so call this before the transport has
 * connections; existing connections are closed cleanly. Invalid options throw a TypeError that
 * names the option's path; a transport that already has peers causes a TypeError, too.
 */
export function createPeers<S = unknown>(options: PeersOptions<S>): Peers<S> {
  return new Peers<S>(options);
}

/** The peers of a transport, as made by `createPeers`. */
export class Peers<S = unknown> implements AsyncDisposable {
  /** This node's own id. */
  readonly nodeId: string;
  /** The status that this node publishes, and the statuses of its peers. */
  readonly status: PeerStatuses<S>;
  /** The services that this node serves, and those of its peers. */
  readonly services: PeerServices;
  readonly #driver: PeersDriver;
  readonly #node: Node;

  constructor(options: PeersOptions<S>) {
    this.#driver = new PeersDriver(readOptions(options));
    const { node, conversation } = this.#driver;
    this.#node = node;
    this.nodeId = node.nodeId;
    this.status = {
      set: (value) => {
        const { status: codec } = node.config;
        if (codec === undefined)
          throw new TypeError(
            "peers.status.set: there is no codec; give createPeers the option 'status', such as json(schema) or bytes",
          );
        const bytes = value === undefined ? undefined : codec.encode(value);
        if (bytes !== undefined && bytes.length > LONGEST_STATUS) {
          throw new TransportError(
            'resource_exhausted',
            `peers.status.set: a status has at most ${LONGEST_STATUS} bytes, got ${bytes.length}`,
          );
        }
        conversation.statuses.set(bytes);
      },
      of: (nodeId) => node.statuses.get(nodeId) as S | undefined,
    };
    const { services } = conversation;
    this.services = {
      set: (names) => services.set(names),
      of: (nodeId) => services.directory.of(nodeId),
      nodes: (service) => services.directory.nodes(service),
      resolver: services.directory,
    };
  }

  /**
   * Loads the address book and starts dialing. Rejects with `failed_precondition` if another
   * process uses the book or these peers have started already, with any other error of the book's
   * `load`, and with `shutdown` if they are closed meanwhile. After an error of `load`, you may
   * call it again. Does not listen: call the transport's `listen()` for that.
   */
  start(): Promise<void> {
    return this.#driver.start();
  }

  /** Returns the peers that are connected now. */
  list(): PeerInfo<S>[] {
    const { peers } = this.#node.peerTable;
    return Array.from(peers.values(), (peer) => this.#node.info(peer) as PeerInfo<S>);
  }

  /** Returns a peer, or undefined if it is not connected now. */
  get(nodeId: string): PeerInfo<S> | undefined {
    const peer = this.#node.peer(nodeId);
    return peer === undefined ? undefined : (this.#node.info(peer) as PeerInfo<S>);
  }

  /**
   * Adds a persistent peer, '[nodeId@]address', and ends a ban of its node id. If the id is already
   * listed with another address, the new address replaces the old one. A target with this node's
   * own id is listed but never dialed, so that all nodes of a cluster can have the same list.
   * Throws a TypeError for a target that is malformed or can't be dialed, and with `membership:
   * 'listed'` on a transport that proves ids, for one without an id.
   */
  add(target: string): void {
    this.#node.checkTarget(target, 'peers.add');
    const { nodeId, address } = parseTarget(target);
    if (nodeId !== undefined) this.#node.keeper.unban(nodeId);
    this.#node.keeper.book.removeOwn(address);
    const { planner } = this.#node;
    planner.setPersistent([...planner.persistent.texts, target]);
    this.#driver.topologyChanged();
  }

  /**
   * Removes persistent peers by node id, by address, or by both, and closes their connections
   * cleanly. Returns the targets that were removed, as they were written. Nodes that are not on the
   * list are not affected. Throws a TypeError for a malformed target.
   */
  remove(nodeIdOrTarget: string): string[] {
    if (!isNodeId(nodeIdOrTarget)) readTarget(nodeIdOrTarget, 'peers.remove');
    const ids = this.#idsOf(nodeIdOrTarget); // First: a removed target matches no node.
    const removed = this.#node.planner.removePersistent(nodeIdOrTarget);
    if (removed.length === 0) return removed;
    for (const nodeId of this.#unwanted(nodeIdOrTarget, ids))
      this.#part(nodeId, 'it was removed from the peers of the other end');
    this.#driver.topologyChanged();
    return removed;
  }

  /**
   * Replaces the whole list of persistent peers. New peers are dialed, peers that are no longer on
   * the list are disconnected cleanly, and a node whose address changed is disconnected and dialed
   * again. Connections to the other peers are not touched. Throws a TypeError as `add` does, and
   * then changes nothing.
   */
  setTopology(targets: readonly string[]): TopologyDiff {
    this.#node.checkTargets(targets, 'peers.setTopology');
    const ids = new Map(this.topology.map((target) => [target, this.#idsOf(target)]));
    for (const target of targets) this.#node.keeper.book.removeOwn(parseTarget(target).address);
    const diff = this.#node.planner.setPersistent(targets);
    for (const target of diff.removed) {
      for (const nodeId of this.#unwanted(target, ids.get(target) ?? []))
        this.#part(nodeId, 'the topology of the other end no longer includes this peer');
    }
    this.#driver.topologyChanged();
    return diff;
  }

  /** The persistent peers, as they were written. */
  get topology(): readonly string[] {
    return this.#node.planner.persistent.texts;
  }

  /**
   * Changes options at run time; options that are left out stay as they are, and a list replaces
   * the whole list before it. Throws a TypeError if a value is invalid, and then changes nothing.
   * - `maxInbound`: if it is lowered, the ordinary inbound peers that connected last are
   *   disconnected.
   * - `unconditional`: a connected node that is no longer listed counts against the limits again.
   *   With `membership: 'listed'`, it is disconnected unless it is persistent.
   * - `privateIds`: applies to all further answers. Addresses that were already sent can't be taken
   *   back.
   */
  update(options: Pick<PeersOptions, 'maxInbound' | 'unconditional' | 'privateIds'>): void {
    this.#driver.update(parseOptions(updateOptions, options, 'peers.update'));
  }

  /**
   * Disconnects a node, even if it is only a client that proved this id. For `time` milliseconds
   * (default 24 hours, as in Tendermint; at most 30 days), the node is refused and its address
   * leaves the address book. Both ends see `why` in the error of the connection. Throws a TypeError
   * if `nodeId` is not a node id or `time` is not above 0.
   */
  ban(nodeId: string, time = 24 * 60 * 60_000, why?: string): void {
    if (!isNodeId(nodeId))
      throw new TypeError(
        `peers.ban: expected a node id, 64 lower-case hex digits, got ${JSON.stringify(nodeId)}`,
      );
    if (!(time > 0))
      throw new TypeError(`peers.ban: time must be milliseconds above 0, got ${String(time)}`);
    this.#node.keeper.book.ban(nodeId, this.#node.now(), time);
    this.#node.cutBanned(why === undefined ? '' : `: ${why}`);
  }

  /** Ends a ban. */
  unban(nodeId: string): void {
    this.#node.keeper.unban(nodeId);
  }

  /**
   * Reports that a node behaved well or badly, `times` times, which changes the node's `score`. A
   * node whose score is 0 is the first to be replaced when a place is needed, and gossip replaces
   * it as soon as it finds another node. It is up to the caller to do more, for example to `ban`
   * it. Throws a TypeError for any other `behavior`, and if `times` is not an integer above 0.
   */
  report(nodeId: string, behavior: 'good' | 'bad', times = 1): void {
    if (behavior !== 'good' && behavior !== 'bad')
      throw new TypeError(
        `peers.report: behavior must be 'good' or 'bad', got ${String(behavior)}`,
      );
    if (!(Number.isInteger(times) && times > 0))
      throw new TypeError(`peers.report: times must be an integer above 0, got ${String(times)}`);
    this.#node.keeper.trust[behavior](nodeId, times);
  }

  /**
   * Returns the score of a node, 0 to 100, connected or not. A node that is not known has 100.
   */
  scoreOf(nodeId: string): number {
    return this.#node.keeper.trust.score(nodeId);
  }

  /**
   * Returns the ids of at most `count` (1 to 250, default 16) nodes that are not connected and can
   * be dialed by their ids. They are a random sample of the address book. Nodes that answered their
   * last dial come first, and nodes that did not answer come last. Private and banned nodes are
   * left out. Throws a TypeError for any other `count`.
   */
  known(count = 16): string[] {
    if (!(Number.isInteger(count) && count >= 1 && count <= MOST_ADDRESSES)) {
      throw new TypeError(
        `peers.known: count must be an integer from 1 to ${MOST_ADDRESSES}, got ${String(count)}`,
      );
    }
    const isFit = (nodeId: string) =>
      this.#node.peer(nodeId) === undefined && !this.#node.config.privateIds.includes(nodeId);
    const now = this.#node.now();
    // A bias of 0 prefers nodes that have answered before.
    return knownNodes(count, (isNext) => this.#node.keeper.book.pick(0, now, isNext), isFit);
  }

  /**
   * Iterates over the entries that the address book has at the first step, as plain data; each is
   * copied when the iteration reaches it. The addresses of private nodes are among them, those of
   * banned nodes are not.
   */
  *book(): IterableIterator<{
    readonly nodeId: string;
    /** The address, with its scheme. */
    readonly address: string;
    /** True if a dial has reached the node at this address. */
    readonly tried: boolean;
    /** Number of dials since the last success, including one in progress. */
    readonly failures: number;
    /** Time of the last dial, in milliseconds of the transport's clock. */
    readonly lastAttempt: number | undefined;
    /** Time of the last dial that reached the node, in milliseconds of the transport's clock. */
    readonly lastSuccess: number | undefined;
    /** The network of the node that reported the address; its own if no other node reported it. */
    readonly source: string;
  }> {
    for (const entry of this.#node.keeper.book.entries())
      yield { ...entry, address: spelled(entry.address) };
  }

  /**
   * Returns the address of a node that peer exchange sends to others while the node is connected.
   * Returns undefined if the address book does not have the node, and for private and bad nodes.
   */
  addressOf(nodeId: string): string | undefined {
    const address = this.#node.keeper.book.sendable(nodeId, this.#node.now())?.address;
    return address === undefined ? undefined : spelled(address);
  }

  /**
   * Enters the address of a node in the address book, as reported in your own protocol by the
   * connected peer `by`. The address is treated like one from peer exchange, with the same limits
   * for each source, even if exchange is off. `nodeId` and `address` may be anything that a peer
   * sent; this never throws.
   * @returns true if an address of that node is known now, and false if `by` is not connected.
   */
  learn(nodeId: string, address: string, by: string): boolean {
    const source = this.#node.peer(by);
    if (source === undefined) return false;
    const read = readAddressEntry({ nodeId, address });
    if (read !== undefined)
      this.#driver.conversation.addresses.learn([read.entry], by, source.main.remote);
    return this.#node.keeper.book.get(nodeId) !== undefined;
  }

  /**
   * Returns true if your own protocol may dial a node on its own initiative. Returns false for this
   * node itself, for banned nodes, and for nodes that are not persistent if the topology is fixed,
   * that is, with `maxOutbound: 0` and `exchange: { enabled: false }`, or with `membership:
   * 'listed'`. Gossip's discovery and overlays respect it.
   */
  mayDial(nodeId: string): boolean {
    const { keeper, planner, isFixed } = this.#node;
    if (nodeId === this.nodeId || keeper.book.isBanned(nodeId, this.#node.now())) return false;
    return !isFixed || planner.persistent.has(nodeId);
  }

  /**
   * Returns the events, beginning with an `up` for each connected peer. The iterator ends with
   * `close`. A reader that is too slow misses the oldest events and gets a `lagged` event with the
   * number of missed events.
   */
  events(): AsyncIterableIterator<PeerEvent<S>> {
    const first = this.list().map((peer): PeerEvent => ({ type: 'up', peer }));
    return this.#node.events.follow(first) as AsyncIterableIterator<PeerEvent<S>>;
  }

  /**
   * Resolves when `peers` peers (default 1) are connected. Rejects with `deadline_exceeded` after
   * `timeout` milliseconds (default never), with the signal's reason if it is aborted, or with
   * `shutdown` when these peers are closed.
   */
  async ready(options: PeersReadyOptions = {}): Promise<void> {
    refuseUnknown(options, 'peers.ready', ['peers', 'timeout', 'signal']);
    const { peers = 1, timeout = Number.POSITIVE_INFINITY, signal } = options;
    signal?.throwIfAborted();
    const { clock, peerTable } = this.#node;
    const isReady = () => peerTable.peers.size >= peers;
    if (isReady()) return;
    const events = this.events();
    const end = () => void events.return?.(); // Ends the loop below, even if it is waiting.
    signal?.addEventListener('abort', end, { once: true });
    let isLate = false;
    const timer =
      timeout === Number.POSITIVE_INFINITY
        ? undefined
        : clock.setTimeout(() => {
            isLate = true;
            end();
          }, timeout);
    try {
      for await (const _ of events) if (isReady()) return;
    } finally {
      if (timer !== undefined) clock.clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    }
    signal?.throwIfAborted();
    if (isLate)
      throw new TransportError(
        'deadline_exceeded',
        `peers.ready: ${peerTable.peers.size} of ${peers} peers are connected after ${inMs(timeout)}`,
      );
    throw new TransportError('shutdown', 'peers.ready: these peers were closed');
  }

  /**
   * Mounts another protocol on the same transport, with node ids as targets. Connections to nodes
   * whose address is known are made as needed. For the transport's own protocol, this wraps the
   * transport itself, so `close` closes the transport. In that case, each option is rejected with a
   * TypeError: give `allow` to `serve`, and instead of `drains`, except the protocol from `drain`.
   * Also throws the errors of `Transport.mount`.
   */
  transport<P extends Protocol>(protocol: P, options?: MountOptions): Transport<P> {
    return nodeTransport(this.#node.config.transport, protocol, this.nodeId, options);
  }

  /** Returns the peers and the size of the address book as plain data; `formatPeers` prints it. */
  snapshot(): PeersSnapshot {
    const { book } = this.#node.keeper;
    return {
      nodeId: this.nodeId,
      inbound: this.#node.peerTable.count('in'),
      outbound: this.#node.peerTable.count('out'),
      persistent: this.#node.planner.persistent.texts.length,
      book: { size: book.size, tried: book.tried, fresh: book.fresh },
      peers: this.list(),
    };
  }

  /**
   * Disconnects the peers that this node dialed, saves the address book and stops all timers. The
   * transport stays open, with the connections that others dialed. Idempotent.
   */
  close(): Promise<void> {
    return this.#driver.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  toString(): string {
    return formatPeers(this.snapshot());
  }

  /** Returns the ids that a persistent target stands for: given, connected or learned ones. */
  #idsOf(nodeIdOrTarget: string): string[] {
    if (isNodeId(nodeIdOrTarget)) return [nodeIdOrTarget];
    const { nodeId, key } = parseTarget(nodeIdOrTarget);
    if (nodeId !== undefined) return [nodeId];
    const { peerTable, planner } = this.#node;
    const isThere = (dialed: string | undefined) =>
      dialed !== undefined && parseTarget(dialed).key === key;
    const connected = [...peerTable.peers.values()]
      .filter(({ links }) => links.some(({ dialed }) => isThere(dialed)))
      .map((peer) => peer.nodeId);
    return [...new Set([...connected, ...planner.persistent.idsAt(nodeIdOrTarget)])];
  }

  /**
   * Returns the nodes to disconnect out of the `ids` of a removed target. If the target names an
   * id, these are all of them, because the id is either no longer listed or listed with another
   * address. Otherwise, nodes that another target lists stay connected.
   */
  #unwanted(nodeIdOrTarget: string, ids: readonly string[]): readonly string[] {
    if (isNodeId(nodeIdOrTarget) || parseTarget(nodeIdOrTarget).nodeId !== undefined) return ids;
    return ids.filter((nodeId) => !this.#node.planner.persistent.has(nodeId));
  }

  /**
   * Disconnects a node and forgets its address, because otherwise it would be dialed again as an
   * ordinary peer.
   */
  #part(nodeId: string, reason: string): void {
    this.#node.keeper.book.remove(nodeId);
    for (const remote of this.#node.links(nodeId)) this.#node.disconnect(remote, reason);
  }
}

/** The status of this node and those of its peers. */
export interface PeerStatuses<S> {
  /**
   * Sets the status that this node publishes from now on; undefined clears it. Throws
   * `resource_exhausted` if the status is above 64 KiB or was changed 2^32 − 1 times, a TypeError
   * if the option `status` was not set, and any error of the codec.
   */
  set(value: S | undefined): void;
  /** Returns the last status that a connected peer published. */
  of(nodeId: string): S | undefined;
}

/** The services of this node and those of its peers. */
export interface PeerServices {
  /**
   * Sets the services that this node serves from now on: at most 64 names. Its peers are informed
   * at once. While the node drains, or its health says that a service is 'not_serving', its peers
   * are informed that the services do not take calls. Throws a TypeError for an invalid name or
   * for more than 64 names.
   */
  set(services: readonly string[]): void;
  /** Returns the services that a connected peer serves now, sorted. */
  of(nodeId: string): readonly string[];
  /** Returns the ids of the connected peers that serve a service now, sorted. */
  nodes(service: string): string[];
  /**
   * Resolves 'service:<name>' to the nodes that serve it, as addresses 'node:<id>'. The transport
   * of these peers uses it automatically; pass it to a balancer.
   */
  readonly resolver: Resolver;
}

/** Options of `Peers.ready`. */
export interface PeersReadyOptions {
  /** Number of peers to wait for. Default 1. */
  readonly peers?: number | undefined;
  /** Milliseconds after which the wait rejects with `deadline_exceeded`. Default never. */
  readonly timeout?: number | undefined;
  /** Aborts the wait, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

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
export function formatPeers(snapshot: PeersSnapshot): string {
  const { nodeId, inbound, outbound, persistent, book, peers } = snapshot;
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
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)));
  return [head, ...lines.map((cells) => cells.join('  ').trimEnd())].join('\n');
}
