// Connects the state machines of peers (planner, exchange, status, admission) to a transport:
// forwards events between them, and wakes them with one timer when something is due. `Peers` owns
// it. Tested by the tests in src/.

import { type Resolver, TransportError } from '@trunkline/transport-core';
import { DeadlineTimer, type Membership, manage } from '@trunkline/transport-core/internal';
import { sample } from '../machine.ts';
import type { PeersConfig, PeersUpdate } from '../options.ts';
import { peersProtocol } from '../protocol.ts';
import { trim } from './admission-control.ts';
import { Conversation } from './conversation.ts';
import { Dials, filterRefusal } from './dials.ts';
import { Links } from './links.ts';
import { Node, VIOLATION } from './node.ts';
import type { PeerConnection } from './peer-table.ts';

export class PeersDriver implements Membership {
  nodeId = '';
  asserts = true;
  readonly node: Node;
  readonly conversation: Conversation;
  readonly #dials: Dials;
  readonly #links: Links;
  readonly #timer: DeadlineTimer;
  readonly screen: Membership['screen'];
  readonly resolver: Resolver;
  #lookDue = Number.POSITIVE_INFINITY;
  /** Time of the next crawl, if this node is a seed. */
  #crawlDue: number;
  /** True if this process was suspended since it last checked its peers; the timer notices that. */
  #slept = false;
  /**
   * This node's own addresses, joined into one string, as last given to the address book. `start`
   * replaces the book (`BookKeeper.open`), but only before the first wake-up sets this.
   */
  #own = '';
  #state: 'new' | 'starting' | 'running' | 'closed' = 'new';
  #closing: Promise<void> | undefined = undefined;

  constructor(config: PeersConfig) {
    const { message } = config.filters;
    this.screen =
      message &&
      ((remote, protocol, method, bytes) => {
        const peer = this.node.peerTable.of(remote);
        if (peer === undefined || protocol === peersProtocol.name) return undefined;
        try {
          message(bytes, { nodeId: peer.nodeId, protocol, method, remote });
          return undefined;
        } catch (error) {
          this.node.keeper.trust.bad(peer.nodeId, VIOLATION);
          return filterRefusal('a message filter', error);
        }
      });
    // This puts the driver in charge of the transport, which reads `screen`.
    const management = manage(config.transport, this);
    try {
      this.node = new Node(config, management, () => {
        if (this.#state === 'running') this.#timer.by(this.node.now());
      });
      this.nodeId = this.node.nodeId;
      this.asserts = !this.node.proves;
      this.conversation = new Conversation(this.node);
    } catch (error) {
      management.release();
      throw error;
    }
    const { node } = this;
    this.resolver = this.conversation.services.directory;
    this.#dials = new Dials(node);
    this.#links = new Links(node, this.#dials, this.conversation);
    this.#crawlDue = config.exchange.seed ? node.now() : Number.POSITIVE_INFINITY;
    this.#timer = new DeadlineTimer(
      node.clock,
      (now) => this.#wake(now),
      () => {
        this.#slept = true;
      },
    );
  }

  // Life cycle.

  async start(): Promise<void> {
    if (this.#state !== 'new')
      throw new TransportError(
        'failed_precondition',
        `start: these peers ${this.#state === 'closed' ? 'are closed' : 'have started'}`,
      );
    this.#state = 'starting';
    try {
      await this.node.keeper.open();
    } catch (error) {
      if (!this.node.closed) this.#state = 'new';
      throw error;
    }
    if (this.node.closed)
      throw new TransportError('shutdown', 'start: these peers were closed while they started');
    this.#state = 'running';
    this.node.cutBanned();
    // The book that was loaded may have older addresses of peers that connected meanwhile.
    for (const { main } of this.node.peerTable.peers.values())
      if (main.remote.direction === 'in') this.#links.moved(main.remote);
    this.#lookDue = this.node.now() + LOOK;
    this.node.soon();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { node } = this;
    const { transport } = node.config;
    const isLast = node.closed; // The transport has closed, and with it all connections.
    this.closed();
    const ordered = [...node.peerTable.peers.values()].flatMap((peer) =>
      peer.links.filter((link) => link.dialed !== undefined),
    );
    const visits = node.visits.close();
    node.management.release();
    await Promise.all([
      node.keeper.close(),
      this.conversation.close(),
      ...(isLast
        ? []
        : [...ordered.map(({ remote }) => remote), ...visits].map((remote) =>
            transport.disconnect(remote, 'its peers were closed').catch(() => {}),
          )),
    ]);
  }

  /**
   * Called when the transport or these peers close. Stops the timer and rejects all pending waits.
   */
  closed(): void {
    if (this.node.closed) return;
    this.#state = 'closed';
    this.node.close();
    this.#timer.stop();
    this.#dials.close();
  }

  // Membership: called by the transport.

  readonly admit: Membership['admit'] = (pending) => this.#links.admission.admit(pending);
  readonly up: Membership['up'] = (remote) => this.#links.up(remote);
  readonly down: Membership['down'] = (remote, cause) => this.#links.down(remote, cause);
  readonly remounted: Membership['remounted'] = (remote, protocols) =>
    this.#links.remounted(remote, protocols);
  readonly moved: Membership['moved'] = (remote) => this.#links.moved(remote);
  readonly turnedAway: Membership['turnedAway'] = (endpoint, error, remote) =>
    this.#links.turnedAway(endpoint, error, remote);
  readonly addressesOf: Membership['addressesOf'] = (target) => this.#dials.addressesOf(target);
  readonly links: Membership['links'] = (nodeId) => this.node.links(nodeId);
  readonly reach: Membership['reach'] = (nodeId, signal) => this.#dials.reach(nodeId, signal);

  /** Updates all peers after the list of persistent peers has changed. */
  topologyChanged(): void {
    for (const peer of this.node.peerTable.peers.values()) this.#links.reclassify(peer);
    this.node.soon();
  }

  /** Changes options; undefined leaves an option as it is. */
  update({ maxInbound, unconditional, privateIds }: PeersUpdate): void {
    const { node } = this;
    const { config } = node;
    node.config = {
      ...config,
      maxInbound: maxInbound ?? config.maxInbound,
      unconditional: unconditional ?? config.unconditional,
      privateIds: privateIds ?? config.privateIds,
    };
    if (privateIds !== undefined) node.keeper.book.setPrivate(privateIds);
    this.topologyChanged();
    trim(node);
  }

  // Timer.

  #wake(now: number): number {
    const { node } = this;
    this.#noteOwn();
    for (const remote of node.visits.expire(now))
      node.disconnect(remote, 'there is no room for another peer');
    for (const order of node.planner.plan(now)) this.#dials.start(order);
    if (now >= this.#crawlDue) this.#crawl(now);
    this.conversation.wake(now);
    if (now >= this.#lookDue) this.#look(now);
    if (now >= node.keeper.wakeAt) void node.keeper.save();
    return Math.min(
      node.planner.wakeAt,
      node.visits.wakeAt,
      this.conversation.wakeAt,
      this.#crawlDue,
      this.#lookDue,
      node.keeper.wakeAt,
    );
  }

  /**
   * Informs the book of this node's own addresses, which are never dialed, whoever reports them.
   */
  #noteOwn(): void {
    const own = this.node.ownAddresses();
    if (own.join() === this.#own) return;
    this.#own = own.join();
    this.node.keeper.book.setOwn(own);
  }

  /** Dials some nodes of the book to ask them for addresses (Tendermint's crawlPeers). */
  #crawl(now: number): void {
    const { peerTable, keeper, planner, config } = this.node;
    this.#crawlDue = now + CRAWL;
    const left = keeper.book.select(now).filter(({ nodeId, address }) => {
      const { lastAttempt = Number.NEGATIVE_INFINITY } = keeper.book.get(nodeId)!;
      return (
        now - lastAttempt >= CRAWLED &&
        !peerTable.peers.has(nodeId) &&
        !planner.isResting(address, now)
      );
    });
    for (const { nodeId, address } of sample(left, MOST_CRAWLED, config.transport.random))
      this.#dials.start({ nodeId, address, kind: 'crawl' });
  }

  /**
   * Raises the trust in peers that sent data since the last check, and lowers the trust in peers
   * whose pong is late. Does neither if this process was suspended in the meantime. A silent peer
   * may be idle or frozen; only an answer to a ping shows which.
   */
  #look(now: number): void {
    const { trust } = this.node.keeper;
    this.#lookDue = now + LOOK;
    const slept = this.#slept;
    this.#slept = false;
    if (slept) return;
    for (const { nodeId, main, links } of this.node.peerTable.peers.values()) {
      if ((main.remote.silence ?? 0) >= LATE) trust.looked(nodeId, LOOK, 'bad');
      else if (this.#wasHeard(links)) trust.looked(nodeId, LOOK, 'good');
    }
  }

  /** Returns whether anything was received on these connections since the last check. */
  #wasHeard(links: readonly PeerConnection[]): boolean {
    let wasHeard = false;
    for (const link of links) {
      const received = this.node.management.received(link.remote);
      if (received !== link.received) wasHeard = true;
      link.received = received;
    }
    return wasHeard;
  }
}

/** Milliseconds between two crawls (Tendermint's crawlPeerPeriod). */
const CRAWL = 30_000;
/**
 * Milliseconds after a dial in which a node is not crawled: a little less than four crawls take
 * (Tendermint's minTimeBetweenCrawls is two minutes).
 */
const CRAWLED = 110_000;
/**
 * Maximum number of nodes per crawl. Tendermint tries a whole selection (250), but one node after
 * another.
 */
const MOST_CRAWLED = 16;
/**
 * Milliseconds between two checks of the peers: short enough to see a late pong before its peer is
 * disconnected (after 5 s by default).
 */
const LOOK = 2_000;
/**
 * Milliseconds of silence after a ping after which the silence counts against a peer. This is
 * longer than the time between two checks plus the longest suspension that the DeadlineTimer does
 * not notice (half a second), because a suspension is not the peer's fault. It is also short enough
 * for a check to happen between this time and the ping timeout.
 */
const LATE = 2_750;
