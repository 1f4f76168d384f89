// Admits connections: decides, for each connection whose hello was read, whether it may become a
// peer, asks the filters, and reserves a place until the connection is up. The transport reports
// each connection to this class, which calls the pure rules of `admission/`. Also decides which
// peers make room for others.

import { type Remote, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import type { PendingConnection } from '@trunkline/transport-core/internal';
import { placeOf } from '../address/place.ts';
import {
  type AdmissionState,
  type Candidate,
  type ConnectedPeer,
  judge,
  type Visits,
} from '../admission/admission.ts';
import type { DialOrder } from '../dialing/dial-order.ts';
import { peersProtocol, VISIT } from '../protocol.ts';
import { type Dials, filterRefusal, within } from './dials.ts';
import type { Node } from './node.ts';
import { isOrdinary, type Peer } from './peer-table.ts';

/** A connection that may become the connection of a peer. */
export interface AdmittedConnection extends Candidate {
  readonly persistent: boolean;
  /** The address that this node's planner dialed to open it. */
  readonly dialed: string | undefined;
  /** The dial orders that the connection fulfills. */
  readonly orders: readonly DialOrder[];
  /** True if the peer was lost by chance and is dialed again. */
  readonly returned: boolean;
  /**
   * The reason why the other end does not become a peer; in that case the connection serves one
   * address exchange.
   */
  refused: TransportError | undefined;
}

export class AdmissionControl {
  readonly #node: Node;
  readonly #dials: Dials;
  readonly #visits: Visits;
  readonly #places: Places;
  readonly #state: AdmissionState;
  /** Admitted connections that are not up yet. */
  readonly #connections = new Map<Remote, AdmittedConnection>();
  /**
   * Connections whose hello was read and that are not up yet, each with the node id that the other
   * end proved or asserted ('' if it has none).
   */
  readonly #claims = new Map<Remote, string>();

  constructor(node: Node, dials: Dials, visits: Visits, places: Places) {
    this.#node = node;
    this.#dials = dials;
    this.#visits = visits;
    this.#places = places;
    const inbound = (group?: string) => this.#inbound(group);
    this.#state = {
      nodeId: node.nodeId,
      get maxInbound() {
        return node.config.maxInbound;
      },
      // With public addresses, one network gets at most a quarter of the places, because an
      // attacker has few networks. Otherwise, nodes have no group.
      get maxPerGroup() {
        return Math.max(1, Math.ceil(node.config.maxInbound / 4));
      },
      isBanned: (nodeId) => node.keeper.book.isBanned(nodeId, node.now()),
      peer: (nodeId) => this.#connected(node.peer(nodeId)),
      isTwin: (nodeId, instance) => node.twins.isTwin(nodeId, instance, node.now()),
      get inbound() {
        return node.peerTable.count('in') + inbound();
      },
      get yielding() {
        return places.yielding().length;
      },
      inboundOf: (group) => node.peerTable.countInbound(group) + inbound(group),
    };
  }

  /** Returns the node id that a connection that is not up yet proved or asserted. */
  claimOf(remote: Remote): string | undefined {
    return this.#claims.get(remote) || undefined;
  }

  /** Forgets a connection, because it is up or gone. Returns its admission. */
  take(remote: Remote): AdmittedConnection | undefined {
    const admitted = this.#connections.get(remote);
    this.#claims.delete(remote);
    this.#connections.delete(remote);
    return admitted;
  }

  /** Admits a connection whose hello was read; throws or rejects if it is refused. */
  admit(pendingConnection: PendingConnection): unknown {
    const { remote, claim, protocols, target } = pendingConnection;
    const orders = remote.direction === 'out' ? this.#dials.of(target) : [];
    const nodeId = remote.nodeId ?? claim;
    this.#claims.set(remote, nodeId);
    if (nodeId === '' || !runsPeers(protocols)) return this.#receiveClient(nodeId, orders);
    if (remote.nodeId === undefined && this.#node.proves)
      return this.#receiveUnproven(nodeId, orders);
    // A transport may call itself; only a dial of the planner to this node itself is an error.
    if (remote.instance === this.#node.management.instance && orders.length === 0) return undefined;
    const meant = orders.find((order) => order.nodeId !== undefined && order.nodeId !== nodeId);
    if (meant !== undefined)
      throw reasonError(
        'identity_mismatch',
        `node ${meant.nodeId} was dialed, but the peer that answered asserts to be ${nodeId}`,
      );
    if (this.#isStale(nodeId, orders))
      throw reasonError(
        'disconnected',
        'it was removed from the persistent peers while it was dialed',
      );
    const mismatch = this.#node.incompatibility(protocols);
    if (mismatch !== undefined) throw mismatch;
    const admitted = this.#admitted(pendingConnection, nodeId, orders);
    if (!this.#node.isWelcome(nodeId, remote, admitted.dialed)) {
      // A connection that the user dialed belongs to a client.
      if (remote.direction === 'out' && orders.length === 0)
        return this.#receiveClient(nodeId, orders);
      throw reasonError(
        'denied',
        `node ${nodeId} is not listed: this node accepts only listed nodes as peers (membership 'listed')`,
      );
    }
    const verdict = this.#receive(pendingConnection, admitted, target ?? remote.endpoint);
    this.#yield();
    return verdict;
  }

  /**
   * Accepts a node that runs no peers as a client: a client may call and be called, but is not a
   * peer, even if it proved its id. Throws if the node is banned, or if this node's planner dialed
   * it.
   */
  #receiveClient(nodeId: string, orders: readonly DialOrder[]): undefined {
    if (this.#state.isBanned(nodeId)) throw reasonError('denied', `node ${nodeId} is banned`);
    if (orders.length === 0) return undefined;
    const remedy =
      nodeId === ''
        ? ''
        : `; to call node ${nodeId} all the same, use the target '${nodeId}@address'`;
    throw new TransportError(
      'failed_precondition',
      `the other end does not run peers, or accepts only nodes that prove their ids as peers${remedy}`,
    );
  }

  /**
   * Accepts a node that only asserts its id as a client of a transport that proves ids. Throws if
   * this node's planner dialed it.
   */
  #receiveUnproven(nodeId: string, orders: readonly DialOrder[]): undefined {
    if (orders.length === 0) return this.#receiveClient(nodeId, orders);
    throw reasonError(
      'identity_mismatch',
      `node ${nodeId} only asserts its id, but the dialer accepts only nodes that prove theirs as peers: dial an address at which it proves its id`,
    );
  }

  #admitted(
    { remote, features }: PendingConnection,
    nodeId: string,
    orders: readonly DialOrder[],
  ): AdmittedConnection {
    const { config } = this.#node;
    const dialed = orders[0]?.address;
    const proven = remote.nodeId !== undefined;
    const persistent = this.#node.planner.named.isPersistent(nodeId, dialed);
    return {
      nodeId,
      proven,
      instance: remote.instance,
      direction: remote.direction,
      persistent,
      exempt: this.#node.isExempt(nodeId, persistent),
      group: config.addresses === 'public' ? placeOf(remote.endpoint)?.group : undefined,
      dialed,
      orders,
      returned: orders.some(({ kind }) => kind === 'again'),
      refused:
        remote.direction === 'out' && features.includes(VISIT)
          ? this.#refusedBy(nodeId, orders)
          : undefined,
    };
  }

  /**
   * Returns the error of a full node at the other end if that node should be asked for addresses,
   * which is the case if addresses are wanted and the planner dialed the node to get a peer.
   * Otherwise throws the error.
   */
  #refusedBy(nodeId: string, orders: readonly DialOrder[]): TransportError {
    const { keeper, config } = this.#node;
    const refused = reasonError('full', `node ${nodeId} has no room for another peer`, {
      origin: 'remote',
      sent: false,
    });
    const isWanted =
      config.exchange.enabled &&
      keeper.book.needsMore &&
      orders.some(({ kind }) => !INQUIRIES.has(kind));
    if (!isWanted) throw refused;
    return refused;
  }

  #connected(peer: Peer | undefined): ConnectedPeer | undefined {
    if (peer === undefined) return undefined;
    const { instance, proven, links, main } = peer;
    const isParting = !links.some(({ remote }) => this.#node.management.isUp(remote));
    return {
      instance,
      proven,
      links: links.length,
      isParting,
      isInbound: isOrdinary(peer) && main.remote.direction === 'in',
    };
  }

  /**
   * Admits a connection; throws or rejects if it is refused. `asked` is passed to the address
   * filter.
   */
  #receive(
    pendingConnection: PendingConnection,
    admitted: AdmittedConnection,
    asked: string,
  ): void | Promise<void> {
    const { remote } = pendingConnection;
    const refusal = judge(admitted, this.#state);
    if (refusal !== undefined) {
      if (!this.#mayVisit(admitted, refusal)) throw refusal;
      admitted.refused = refusal;
      pendingConnection.answer = [VISIT];
    }
    this.#connections.set(remote, admitted);
    const { address, nodeId } = this.#node.config.filters;
    if (address === undefined && nodeId === undefined) return undefined;
    return this.#filter(remote, admitted, asked);
  }

  /** Disconnects short-stay peers if a node was admitted while all places were taken. */
  #yield(): void {
    for (const peer of this.#places.yielding()) {
      if (this.#state.inbound <= this.#node.config.maxInbound) return;
      this.#places.part(peer);
    }
  }

  /**
   * Returns true if the connection was dialed for a persistent peer that has been removed in the
   * meantime.
   */
  #isStale(nodeId: string, orders: readonly DialOrder[]): boolean {
    const [order] = orders;
    return (
      order !== undefined &&
      orders.every(({ kind }) => kind === 'persistent') &&
      !this.#node.planner.named.isPersistent(nodeId, order.address)
    );
  }

  /**
   * Returns the number of ordinary connections that dialed this node, optionally only those of one
   * group.
   */
  #inbound(group?: string): number {
    let count = 0;
    for (const admitted of this.#connections.values())
      if (
        admitted.direction === 'in' &&
        !admitted.exempt &&
        admitted.refused === undefined &&
        (group === undefined || admitted.group === group)
      )
        count++;
    return count;
  }

  /** Returns true if a node that is refused because this one is full may ask for addresses. */
  #mayVisit({ nodeId }: AdmittedConnection, refusal: TransportError): boolean {
    const { exchange, maxInbound } = this.#node.config;
    const tells = exchange.enabled && maxInbound > 0;
    if (!tells || refusal.reason !== 'full' || this.#state.peer(nodeId) !== undefined) return false;
    const coming: string[] = [];
    for (const admitted of this.#connections.values())
      if (admitted.direction === 'in' && admitted.refused !== undefined)
        coming.push(admitted.nodeId);
    return this.#visits.take(nodeId, coming, this.#node.now());
  }

  async #filter(remote: Remote, admitted: AdmittedConnection, asked: string): Promise<void> {
    const { address, nodeId, timeout } = this.#node.config.filters;
    const answers = async () => {
      await address?.(asked, remote);
      await nodeId?.(admitted.nodeId, remote);
    };
    try {
      await within(this.#node.clock, timeout, answers(), 'a filter of the other end');
    } catch (error) {
      throw filterRefusal('a filter', error);
    }
  }
}

/** Returns whether a node that mounts these protocols may be a peer. */
export function runsPeers(protocols: PendingConnection['protocols']): boolean {
  return protocols.some(({ name }) => name === peersProtocol.name);
}

/**
 * Kinds of dials that serve a waiting call or test an address. After such a dial, a full node is
 * not asked for addresses.
 */
const INQUIRIES: ReadonlySet<DialOrder['kind']> = new Set(['asked', 'test'] as const);

// Decides which connected peers make room for another peer when all places are taken.

export class Places {
  readonly #node: Node;

  constructor(node: Node) {
    this.#node = node;
  }

  /**
   * Returns the peers that make room for the next node: first those whose score is 0. Apart from
   * them, the last tenth of the inbound places is for short stays. Without them, a network whose
   * first nodes are full would refuse newcomers that know no other nodes and only need to learn
   * some addresses.
   */
  yielding(): Peer[] {
    const { peerTable, config } = this.#node;
    const lasting = config.maxInbound - Math.floor(config.maxInbound / 10);
    if (peerTable.count('in') <= Math.min(lasting, config.maxInbound - 1)) return [];
    const since = this.#node.now() - SHORT_STAY;
    const peers = this.#ordinary('in');
    const distrusted = peers.filter(({ nodeId }) => this.#isDistrusted(nodeId));
    const short = peers.slice(lasting).filter((peer) => peer.since <= since);
    return [...new Set([...distrusted, ...short])];
  }

  /**
   * If there is one ordinary outbound peer too many, disconnects the youngest of the others. A peer
   * whose score is 0 is disconnected first, and peers that were lost and came back last.
   */
  makeRoom(newcomer: Peer): void {
    if (this.#node.peerTable.count('out') <= this.#node.config.maxOutbound) return;
    const others = this.#ordinary('out').filter((peer) => peer !== newcomer);
    const going =
      others.findLast(({ nodeId }) => this.#isDistrusted(nodeId)) ??
      others.findLast(({ returned }) => !returned) ??
      others.at(-1);
    if (going !== undefined) this.part(going);
  }

  /** Disconnects the inbound peers that connected last, if there are more than `maxInbound`. */
  trim(): void {
    const { maxInbound } = this.#node.config;
    for (const peer of this.#ordinary('in').slice(maxInbound))
      this.part(peer, `the other end now has at most ${maxInbound} peers that dialed it`);
  }

  /** Disconnects a peer, which from then on does not count against any limit. */
  part(peer: Peer, why = 'another peer replaced it'): void {
    peer.leaving = true;
    this.#node.peerTable.recount();
    for (const { remote } of peer.links) this.#node.disconnect(remote, why);
  }

  #isDistrusted(nodeId: string): boolean {
    return this.#node.keeper.trust.score(nodeId) === 0;
  }

  /** Returns the peers that count against a limit, in the order in which they connected. */
  #ordinary(direction: 'in' | 'out'): Peer[] {
    return [...this.#node.peerTable.peers.values()].filter(
      (peer) => isOrdinary(peer) && peer.main.remote.direction === direction,
    );
  }
}

/** Duration of a short stay in milliseconds; it is long enough to learn addresses. */
const SHORT_STAY = 10_000;
