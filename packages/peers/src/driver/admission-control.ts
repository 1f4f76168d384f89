// Admits connections: decides, for each connection whose hello was read, whether it may become a
// peer, asks the filters, and reserves a place until the connection is up. The transport reports
// each connection to this class, which owns the connections that are not up yet. Also decides which
// peers make room for others. Tested by src/admission/admission.test.ts and the tests in src/.

import { type Remote, TransportError } from '@trunkline/transport-core';
import { isNodeId, reasonError } from '@trunkline/transport-core/backend';
import type { PendingConnection } from '@trunkline/transport-core/internal';
import { placeOf } from '../address/place.ts';
import { twinError } from '../admission/admission.ts';
import type { DialOrder } from '../dialing/dial-order.ts';
import { peersProtocol, VISIT } from '../protocol.ts';
import { type Dials, filterRefusal, silent, within } from './dials.ts';
import type { Node } from './node.ts';
import { isOrdinary, type Peer } from './peer-table.ts';

/** A connection that may become the connection of a peer. */
export interface AdmittedConnection {
  readonly nodeId: string;
  readonly proven: boolean;
  readonly instance: string;
  readonly direction: 'in' | 'out';
  readonly persistent: boolean;
  /** True if the node is persistent or unconditional, so that no limit applies to it. */
  readonly exempt: boolean;
  /** The network that it comes from, if the number of peers per network is limited. */
  readonly group: string | undefined;
  /** The address of the first of `orders`; undefined if the other end or the user dialed it. */
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
  /** Admitted connections that are not up yet. */
  readonly #connections = new Map<Remote, AdmittedConnection>();

  constructor(node: Node, dials: Dials) {
    this.#node = node;
    this.#dials = dials;
  }

  /** Returns the node id that a connection that is not up yet proved or asserted. */
  claimOf(remote: Remote): string | undefined {
    return remote.nodeId ?? (this.#node.claims.get(remote) || undefined);
  }

  /** Forgets a connection, because it is up or gone. Returns its admission. */
  take(remote: Remote): AdmittedConnection | undefined {
    const admitted = this.#connections.get(remote);
    this.#node.claims.delete(remote);
    this.#connections.delete(remote);
    return admitted;
  }

  /** Admits a connection whose hello was read; throws or rejects if it is refused. */
  admit(pendingConnection: PendingConnection): unknown {
    const { remote, claim, protocols, target } = pendingConnection;
    const orders = remote.direction === 'out' ? this.#dials.of(target) : [];
    const nodeId = remote.nodeId ?? claim;
    this.#node.claims.set(remote, nodeId);
    const isUnproven = remote.nodeId === undefined && this.#node.proves;
    if (nodeId === '' || !runsPeers(protocols) || (isUnproven && orders.length === 0))
      return this.#receiveClient(nodeId, orders);
    if (isUnproven)
      throw reasonError(
        'identity_mismatch',
        `node ${nodeId} only asserts its id, but the dialer accepts only nodes that prove theirs as peers: dial an address at which it proves its id`,
      );
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
    // If a node was admitted while all places were taken, others make room for it.
    for (const peer of yielding(this.#node))
      if (this.#inbound() > this.#node.config.maxInbound) part(this.#node, peer);
    return verdict;
  }

  /**
   * Accepts a node as a client: a client may call and be called, but is not a peer, even if it
   * proved its id. Throws if the node is banned, or if this node's planner dialed it.
   */
  #receiveClient(nodeId: string, orders: readonly DialOrder[]): undefined {
    if (this.#node.keeper.book.isBanned(nodeId, this.#node.now()))
      throw reasonError('denied', `node ${nodeId} is banned`);
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

  #admitted(
    { remote, features }: PendingConnection,
    nodeId: string,
    orders: readonly DialOrder[],
  ): AdmittedConnection {
    const { config } = this.#node;
    const dialed = orders[0]?.address;
    const proven = remote.nodeId !== undefined;
    const persistent = this.#node.planner.persistent.has(nodeId, dialed);
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
   * which is the case if addresses are wanted and the dial was more than an inquiry (`INQUIRIES`).
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
    const refusal = judge(this.#node, admitted, (group) => this.#inbound(group));
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

  /**
   * Returns true if the connection was dialed for a persistent peer that has been removed in the
   * meantime.
   */
  #isStale(nodeId: string, orders: readonly DialOrder[]): boolean {
    const [order] = orders;
    return (
      order !== undefined &&
      orders.every(({ kind }) => kind === 'persistent') &&
      !this.#node.planner.persistent.has(nodeId, order.address)
    );
  }

  /**
   * Returns the number of ordinary peers that dialed this node, including those whose connection is
   * not up yet; optionally only those of one group.
   */
  #inbound(group?: string): number {
    let count = this.#node.peerTable.count('in', group);
    for (const admitted of this.#connections.values())
      if (
        admitted.direction === 'in' &&
        !admitted.exempt &&
        admitted.refused === undefined &&
        (group ?? admitted.group) === admitted.group
      )
        count++;
    return count;
  }

  /** Returns true if a node that is refused because this one is full may ask for addresses. */
  #mayVisit({ nodeId }: AdmittedConnection, refusal: TransportError): boolean {
    const { exchange, maxInbound } = this.#node.config;
    const tells = exchange.enabled && maxInbound > 0;
    if (!tells || refusal.reason !== 'full' || this.#node.peer(nodeId) !== undefined) return false;
    const coming: string[] = [];
    for (const admitted of this.#connections.values())
      if (admitted.direction === 'in' && admitted.refused !== undefined)
        coming.push(admitted.nodeId);
    return this.#node.visits.take(nodeId, coming, this.#node.now());
  }

  async #filter(remote: Remote, admitted: AdmittedConnection, asked: string): Promise<void> {
    const { address, nodeId, timeout } = this.#node.config.filters;
    const answers = async () => {
      await address?.(asked, remote);
      await nodeId?.(admitted.nodeId, remote);
    };
    try {
      await within(this.#node.clock, timeout, answers(), () =>
        silent('a filter of the other end', timeout),
      );
    } catch (error) {
      throw filterRefusal('a filter', error);
    }
  }
}

/**
 * Returns the reason why a connection is refused, or undefined if it is accepted. Both ends see the
 * text. `inbound` returns the number of ordinary peers that dialed this node, including those whose
 * connection is not up yet, or only the number of those of a group.
 */
export function judge(
  node: Node,
  { nodeId, instance, proven, direction, exempt, group }: AdmittedConnection,
  inbound: (group?: string) => number,
): TransportError | undefined {
  // Core has checked the id that a hello claims, but not one that a stream layer has proved.
  if (!isNodeId(nodeId))
    return reasonError(
      'malformed',
      `a node id must be 64 lower-case hex digits, but this one is '${nodeId.slice(0, 100)}'`,
    );
  if (nodeId === node.nodeId)
    return reasonError(
      'self',
      `node ${nodeId} would be its own peer: two nodes have the same identity, or a node dialed itself`,
    );
  const now = node.now();
  if (node.keeper.book.isBanned(nodeId, now))
    return reasonError('denied', `node ${nodeId} is banned`);
  const known = node.peer(nodeId);
  // An instance is not a secret. So a connection that only repeats the instance must not be added
  // to a peer that proved its id, nor a proven connection to a peer that did not.
  const isSame = known?.instance === instance && known.proven === proven;
  // If none of its connections takes calls any more, a new connection counts as a new peer.
  const isParting = !known?.links.some(({ remote }) => node.management.isUp(remote));
  if (isSame && !isParting)
    return known.links.length < LINKS
      ? undefined
      : reasonError(
          'full',
          `node ${nodeId} has ${known.links.length} links, more than one pool opens`,
        );
  // A node that proves its id replaces the peer that has it, because either the node restarted or
  // the peer only asserted the id. If two nodes assert the same id, the first peer stays.
  if (known !== undefined && !isSame && !proven) return takenError(nodeId);
  if (known?.proven && !isSame && !isParting && node.twins.isTwin(nodeId, instance, now))
    return twinError(nodeId, instance);
  if (direction === 'out' || exempt || (known !== undefined && !isSame)) return undefined;
  const { maxInbound } = node.config;
  const all = inbound();
  const others = all - yielding(node).length - (known && isOrdinary(known, 'in') ? 1 : 0);
  if (others >= maxInbound)
    return reasonError(
      'full',
      `${all} peers that dialed this node are connected, maxInbound allows no more`,
    );
  // With public addresses, one network gets at most a quarter of the places, because an attacker
  // has few networks. Otherwise, nodes have no group.
  const maxPerGroup = Math.max(1, Math.ceil(maxInbound / 4));
  if (group === undefined || inbound(group) < maxPerGroup) return undefined;
  return reasonError(
    'full',
    `${maxPerGroup} peers of the network ${group} that dialed this node are connected; a quarter of maxInbound is for one network`,
  );
}

/** Creates the error that refuses another node which only asserts the id of a peer. */
export function takenError(nodeId: string): TransportError {
  const message = `node ${nodeId} is already connected; an id that is only asserted belongs to its first connection`;
  return reasonError('duplicate', message);
}

/**
 * Maximum number of connections of one peer: the number that the largest pool opens in both
 * directions together.
 */
const LINKS = 128;

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

/**
 * Returns the peers that make room for the next node: first those whose score is 0. Apart from
 * them, the last tenth of the inbound places is for short stays. Without them, a network whose
 * first nodes are full would refuse newcomers that know no other nodes and only need to learn some
 * addresses.
 */
function yielding(node: Node): Peer[] {
  const { maxInbound } = node.config;
  const lasting = maxInbound - Math.floor(maxInbound / 10);
  if (node.peerTable.count('in') <= Math.min(lasting, maxInbound - 1)) return [];
  const since = node.now() - SHORT_STAY;
  const peers = node.peerTable.ordinary('in');
  const distrusted = peers.filter((peer) => isDistrusted(node, peer));
  const short = peers.slice(lasting).filter((peer) => peer.since <= since);
  return [...new Set([...distrusted, ...short])];
}

/**
 * If there is one ordinary outbound peer too many, disconnects the youngest of the others. A peer
 * whose score is 0 is disconnected first, and peers that were lost and came back last.
 */
export function makeRoom(node: Node, newcomer: Peer): void {
  if (node.peerTable.count('out') <= node.config.maxOutbound) return;
  const others = node.peerTable.ordinary('out').filter((peer) => peer !== newcomer);
  const going =
    others.findLast((peer) => isDistrusted(node, peer)) ??
    others.findLast(({ returned }) => !returned) ??
    others.at(-1);
  if (going !== undefined) part(node, going);
}

/** Disconnects the inbound peers that connected last, if there are more than `maxInbound`. */
export function trim(node: Node): void {
  const { maxInbound } = node.config;
  for (const peer of node.peerTable.ordinary('in').slice(maxInbound))
    part(node, peer, `the other end now has at most ${maxInbound} peers that dialed it`);
}

/** Disconnects a peer, which from then on does not count against any limit (see `Peer.leaving`). */
export function part(node: Node, peer: Peer, why = 'another peer replaced it'): void {
  peer.leaving = true;
  for (const { remote } of peer.links) node.disconnect(remote, why);
}

function isDistrusted(node: Node, { nodeId }: Peer): boolean {
  return node.keeper.trust.score(nodeId) === 0;
}

/** Duration of a short stay in milliseconds; it is long enough to learn addresses. */
const SHORT_STAY = 10_000;
