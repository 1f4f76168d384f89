// Turns connections into peers: groups the connections of one node, picks the one to use, and
// reports a peer as gone with the cause when its last connection ends.

import { nodeOf, type PendingConnection, type Remote, reasonError, TransportError } from '@trunkline/transport-core';
import { placeOf } from '../address/place.ts';
import type { Hall, Resident } from '../admission/admission.ts';
import { peersProtocol, VISIT } from '../protocol.ts';
import type { Order } from './dialer.ts';
import { Doorman, type Guest } from './doorman.ts';
import { firstAddress } from './first-address.ts';
import type { Node } from './node.ts';
import type { Orders } from './orders.ts';
import { rejectionOf } from './rejection.ts';
import type { Link, Peer } from './roster.ts';
import type { Visits } from './visits.ts';

/** Receives events about peers. */
export interface LinksHost {
  arrived(peer: Peer): void;
  left(peer: Peer, cause: TransportError): void;
  /** The peer became persistent, or is not persistent any more. */
  reclassified(peer: Peer): void;
  /** A connection to a full node is up, which only serves to ask that node for addresses. */
  visited(remote: Remote): void;
}

export class Links {
  readonly #node: Node;
  readonly #orders: Orders;
  readonly #visits: Visits;
  readonly #host: LinksHost;
  readonly #doorman: Doorman;
  readonly #hall: Hall;
  /**
   * Connections whose hello was read and that are not up yet, with the node id that the other end
   * proved or asserted; '' if it has none.
   */
  readonly #pendingConnections = new Map<Remote, string>();

  constructor(node: Node, orders: Orders, visits: Visits, host: LinksHost) {
    const doorman = new Doorman(node.config, node.clock, visits);
    this.#node = node;
    this.#orders = orders;
    this.#visits = visits;
    this.#host = host;
    this.#doorman = doorman;
    const yielding = () => this.#yielding().length;
    this.#hall = {
      nodeId: node.nodeId,
      isBanned: (nodeId) => node.keeper.book.isBanned(nodeId, node.now()),
      peer: (nodeId) => this.#resident(node.peer(nodeId)),
      isTwin: (nodeId, instance) => node.twins.isTwin(nodeId, instance, node.now()),
      get inbound() {
        return node.roster.count('in') + doorman.inbound();
      },
      get yielding() {
        return yielding();
      },
      inboundOf: (group) => node.roster.countInbound(group) + doorman.inbound(group),
    };
  }

  admit(pendingConnection: PendingConnection): unknown {
    const { remote, claim, protocols, target } = pendingConnection;
    const orders = remote.direction === 'out' ? this.#orders.of(target) : [];
    const nodeId = remote.nodeId ?? claim;
    this.#pendingConnections.set(remote, nodeId);
    const isProven = remote.nodeId !== undefined;
    if (nodeId === '' || !runsPeers(protocols)) return this.#receiveClient(nodeId, orders);
    if (!this.#node.isCertain({ proven: isProven })) {
      if (!this.#node.config.allowAsserted) return this.#receiveUnproven(nodeId, orders);
      if (this.#node.planner.isNamed(nodeId)) throw reasonError('identity_mismatch', UNPROVEN);
    }
    // A transport may call itself; only a dial of the planner to itself is an error.
    if (remote.instance === this.#node.instance && orders.length === 0) return undefined;
    const meant = orders.find((order) => order.nodeId !== undefined && order.nodeId !== nodeId);
    if (meant !== undefined) throw reasonError('identity_mismatch', `node ${meant.nodeId} was dialed, and who answered asserts to be ${nodeId}`);
    if (this.#isStale(nodeId, orders)) throw reasonError('disconnected', 'it was taken off the persistent peers while it was dialed');
    const guest = this.#guest(pendingConnection, nodeId, orders);
    if (!this.#isWelcome(guest, remote, guest.dialed)) {
      // A connection that the user dialed belongs to a client.
      if (remote.direction === 'out' && orders.length === 0) return this.#receiveClient(nodeId, orders);
      throw reasonError('denied', `node ${nodeId} is not listed: this node takes only listed nodes for peers (membership 'listed')`);
    }
    const verdict = this.#doorman.receive(pendingConnection, guest, this.#hall, target ?? remote.endpoint);
    this.#yield();
    return verdict;
  }

  /**
   * Accepts a node that runs no peers as a client: it may call and be called, but is not a peer,
   * even if it proved its id. Throws if it is banned, or if this node's planner dialed it.
   */
  #receiveClient(nodeId: string, orders: readonly Order[]): undefined {
    if (this.#hall.isBanned(nodeId)) throw reasonError('denied', `node ${nodeId} is banned`);
    if (orders.length === 0) return undefined;
    const remedy = nodeId === '' ? '' : `; to call node ${nodeId} all the same, use the target '${nodeId}@address'`;
    throw new TransportError('failed_precondition', `the other end runs no peers, or takes only nodes that prove their ids for peers${remedy}`);
  }

  /**
   * Accepts a node that only asserts its id as a client of a transport that proves ids. Throws if
   * this node's planner dialed it.
   */
  #receiveUnproven(nodeId: string, orders: readonly Order[]): undefined {
    if (orders.length === 0) return this.#receiveClient(nodeId, orders);
    const remedy = "dial an address where it proves its id, or give createPeers 'allowAsserted: true'";
    throw reasonError('identity_mismatch', `node ${nodeId} only asserts its id, and the dialer takes only nodes that prove theirs for peers: ${remedy}`);
  }

  #guest({ remote, features }: PendingConnection, nodeId: string, orders: readonly Order[]): Guest {
    const { config } = this.#node;
    const dialed = orders[0]?.address;
    const proven = remote.nodeId !== undefined;
    const persistent = this.#node.isPersistent({ nodeId, proven }, dialed);
    return {
      nodeId,
      proven,
      instance: remote.instance,
      direction: remote.direction,
      persistent,
      exempt: this.#isExempt({ nodeId, proven, persistent }),
      group: config.addresses === 'public' ? placeOf(remote.endpoint)?.group : undefined,
      dialed,
      orders,
      returned: orders.some(({ kind }) => kind === 'again'),
      refused: remote.direction === 'out' && features.includes(VISIT) ? this.#refusedBy(nodeId, orders) : undefined,
    };
  }

  /**
   * Returns the error for a full node at the other end, if it should be asked for addresses. That
   * is so only if addresses are wanted and the planner dialed it to get a peer; otherwise this
   * throws the error.
   */
  #refusedBy(nodeId: string, orders: readonly Order[]): TransportError {
    const { keeper, config } = this.#node;
    const refused = reasonError('full', `node ${nodeId} has no room for another peer`, { origin: 'remote', sent: false });
    const isWanted = config.exchange.enabled && keeper.book.needsMore && orders.some(({ kind }) => !INQUIRIES.has(kind));
    if (!isWanted) throw refused;
    return refused;
  }

  #resident(peer: Peer | undefined): Resident | undefined {
    if (peer === undefined) return undefined;
    const { instance, proven, links, exempt, leaving, main } = peer;
    const isParting = !links.some(({ remote }) => this.#node.management.isUp(remote));
    return { instance, proven, links: links.length, isParting, isInbound: !exempt && !leaving && main.remote.direction === 'in' };
  }

  /**
   * Returns whether the node may be a peer: always with open membership, otherwise only if it is
   * listed.
   */
  #isWelcome(peer: { readonly nodeId: string; readonly proven: boolean }, remote: Remote, dialed?: string): boolean {
    return this.#node.config.membership === 'open' || this.#node.isListed(peer, remote, dialed);
  }

  /** Returns whether the connection was dialed for a persistent peer that was removed meanwhile. */
  #isStale(nodeId: string, orders: readonly Order[]): boolean {
    const [order] = orders;
    return order !== undefined && orders.every(({ kind }) => kind === 'persistent') && !this.#node.planner.isPersistent(nodeId, order.address);
  }

  /**
   * Updates a peer after the persistent peers changed, or after another of its connections came up.
   */
  reclassify(peer: Peer): void {
    if (!peer.links.some(({ remote, dialed }) => this.#isWelcome(peer, remote, dialed))) return this.#part(peer, 'it is not listed any more');
    if (!this.#node.isCertain(peer) && this.#node.planner.isNamed(peer.nodeId)) return this.#part(peer, UNPROVEN);
    const persistent = peer.links.some(({ dialed }) => this.#node.isPersistent(peer, dialed));
    if (persistent === peer.persistent) return;
    peer.persistent = persistent;
    peer.exempt = this.#isExempt(peer);
    this.#node.roster.recount();
    this.#host.reclassified(peer);
  }

  #isExempt(peer: { readonly nodeId: string; readonly proven: boolean; readonly persistent: boolean }): boolean {
    return peer.persistent || (this.#node.isCertain(peer) && this.#node.config.unconditional.includes(peer.nodeId));
  }

  up(remote: Remote): void {
    const node = this.#node;
    this.#pendingConnections.delete(remote);
    const guest = this.#doorman.guests.get(remote);
    this.#doorman.guests.delete(remote);
    if (guest === undefined || node.closed) return;
    if (guest.refused !== undefined) return this.#visit(remote, guest, guest.refused);
    const { nodeId, dialed } = guest;
    if (guest.persistent && !node.isPersistent(guest, dialed)) return this.#dismiss(remote, guest);
    if (!this.#isWelcome(guest, remote, dialed)) return this.#dismiss(remote, guest);
    const known = node.peer(nodeId);
    if (known !== undefined && (known.instance !== guest.instance || known.proven !== guest.proven)) this.#replace(known);
    const here = node.peer(nodeId);
    const link: Link = { remote, dialed, lasting: isLasting(guest), received: node.management.received(remote) };
    const peer: Peer = here ?? { ...guest, since: node.now(), links: [], main: link, release: NOTHING, leaving: false };
    peer.leaving = false;
    node.roster.add(peer, link);
    this.#settle(peer);
    // An asserted id must not change where a node is dialed.
    if (node.isCertain(guest)) this.#note(nodeId, remote, dialed);
    this.#orders.fulfil(guest.orders, nodeId);
    if (guest.orders.some(({ kind }) => kind === 'again' || kind === 'spare' || kind === 'seed')) this.#makeRoom(peer);
    if (here === undefined) this.#host.arrived(peer);
    else this.reclassify(peer);
    this.#orders.arrived(nodeId, remote);
    node.soon();
  }

  /**
   * Begins a visit: one end has no room for the other as a peer, so only addresses are exchanged
   * over this connection before it ends.
   */
  #visit(remote: Remote, guest: Guest, refused: TransportError): void {
    const { nodeId, orders } = guest;
    this.#visits.begin(remote, nodeId, this.#node.now());
    if (remote.direction === 'in') {
      if (this.#node.isCertain(guest)) this.#note(nodeId, remote, undefined);
      this.#tell(remote.endpoint, refused, remote, nodeId);
    } else {
      this.#host.visited(remote);
      this.#orders.refuse(orders, refused);
    }
    this.#node.soon();
  }

  /**
   * Returns the peers that make way for the next node. The last tenth of the inbound places is for
   * short stays. Without them, a network whose first nodes are full would refuse newcomers that
   * know no other nodes and only need to learn some addresses.
   */
  #yielding(): Peer[] {
    const { roster, config } = this.#node;
    const lasting = config.maxInbound - Math.floor(config.maxInbound / 10);
    if (roster.count('in') <= lasting) return [];
    const since = this.#node.now() - SHORT_STAY;
    return this.#ordinary('in')
      .slice(lasting)
      .filter((peer) => peer.since <= since);
  }

  /** Disconnects short-stay peers if a node was let in when all places were taken. */
  #yield(): void {
    for (const peer of this.#yielding()) {
      if (this.#hall.inbound <= this.#node.config.maxInbound) return;
      this.#part(peer);
    }
  }

  /**
   * If there is one ordinary outbound peer too many, disconnects the youngest of the others. Peers
   * that were lost and came back go last.
   */
  #makeRoom(newcomer: Peer): void {
    if (this.#node.roster.count('out') <= this.#node.config.maxOutbound) return;
    const others = this.#ordinary('out').filter((peer) => peer !== newcomer);
    const going = others.findLast(({ returned }) => !returned) ?? others.at(-1);
    if (going !== undefined) this.#part(going);
  }

  /** Returns the peers that count against a limit, in the order in which they connected. */
  #ordinary(direction: 'in' | 'out'): Peer[] {
    return [...this.#node.roster.peers.values()].filter(({ exempt, leaving, main }) => !exempt && !leaving && main.remote.direction === direction);
  }

  #part(peer: Peer, why = 'another peer takes its place'): void {
    peer.leaving = true;
    this.#node.roster.recount();
    for (const { remote } of peer.links) void this.#node.config.transport.disconnect(remote, why).catch(() => {});
  }

  /**
   * Disconnects a node that was admitted as a persistent or listed peer and was taken off the list
   * before its connection came up. It may come back as an ordinary peer.
   */
  #dismiss(remote: Remote, { nodeId, orders }: Guest): void {
    this.#orders.fulfil(orders, nodeId);
    void this.#node.config.transport.disconnect(remote, 'it was taken off the persistent peers as it came').catch(() => {});
  }

  /** Stores in the address book where the peer of a connection can be reached. */
  #note(nodeId: string, remote: Remote, dialed: string | undefined): void {
    const { keeper } = this.#node;
    const now = this.#node.now();
    const address = dialed ?? (remote.direction === 'in' ? this.#node.toldAddress(remote) : undefined);
    if (address === undefined || nodeOf(address) !== undefined) return;
    if (dialed !== undefined) keeper.book.succeeded(nodeId, dialed, now);
    else keeper.book.learn({ nodeId, address }, now, remote.endpoint);
    keeper.met(now);
  }

  /**
   * Picks the connection of a peer to use. Other connections that this node dialed are closed when
   * their calls are done.
   */
  #settle(peer: Peer): void {
    const { roster, management, config, nodeId } = this.#node;
    const main = roster.elect(peer, management.isUp);
    if (main === undefined) return;
    if (main !== peer.main || peer.release === NOTHING) {
      peer.release();
      peer.main = main;
      roster.recount();
      peer.release = main.lasting ? config.transport.hold(main.remote) : () => {};
    }
    for (const link of peer.links) {
      if (link === main || link.dialed === undefined || !management.isUp(link.remote)) continue;
      management.retire(link.remote, `both ends have dialed, and the link that node ${[nodeId, peer.nodeId].sort()[0]} dialed is used`);
    }
  }

  /**
   * Replaces a peer by another instance with the same id, for example after a restart that its old
   * connections have not noticed yet.
   */
  #replace(peer: Peer): void {
    const cause = reasonError('duplicate', `node ${peer.nodeId} came back: another instance of it is connected`);
    peer.release();
    if (peer.proven) this.#node.twins.replaced(peer.nodeId, peer.instance);
    for (const { remote } of this.#node.roster.dismiss(peer)) this.#node.management.retire(remote, cause.message);
    this.#host.left(peer, cause);
  }

  /**
   * Handles a change of the other end's protocols: a node that closes its peers but keeps its
   * transport is a client from then on.
   */
  remounted(remote: Remote, protocols: PendingConnection['protocols']): void {
    if (runsPeers(protocols)) return;
    // The same error as if its transport had closed, or as if it had ended the connection itself.
    this.#leave(remote, reasonError(remote.direction === 'out' ? 'closed' : 'disconnected', 'the other end has closed its peers'));
  }

  down(remote: Remote, cause: TransportError): void {
    this.#pendingConnections.delete(remote);
    this.#doorman.guests.delete(remote);
    this.#leave(remote, cause);
  }

  #leave(remote: Remote, cause: TransportError): void {
    const { roster, closed } = this.#node;
    this.#visits.end(remote);
    const peer = roster.remove(remote);
    if (peer === undefined || closed) return;
    if (peer.links.length > 0) return this.#settle(peer);
    peer.release();
    this.#host.left(peer, cause);
    this.#node.soon();
  }

  /**
   * Reports an incoming connection that failed. The dialer reports failures of connections that
   * this node ordered.
   */
  turnedAway(endpoint: string, error: TransportError, remote: Remote | undefined): void {
    const { twins, closed } = this.#node;
    if (closed || !twins.isNews(error)) return;
    const claim = remote === undefined ? undefined : this.#pendingConnections.get(remote);
    this.#tell(endpoint, error, remote, remote?.nodeId ?? (claim === '' ? undefined : claim));
  }

  #tell(endpoint: string, error: TransportError, remote: Remote | undefined, nodeId: string | undefined): void {
    const reason = rejectionOf(error, 'in');
    this.#node.events.tell({ type: 'rejected', reason, direction: 'in', error, nodeId, addr: firstAddress(remote?.addr), endpoint, remote });
  }
}

function runsPeers(protocols: PendingConnection['protocols']): boolean {
  return protocols.some(({ name }) => name === peersProtocol.name);
}

/**
 * Returns whether a connection is kept open when it is idle. The end that dialed decides:
 * connections that the planner dials are meant to stay, except short-lived ones (`BRIEF`).
 */
function isLasting({ direction, persistent, orders }: Guest): boolean {
  return direction === 'in' || persistent || orders.some(({ kind }) => !BRIEF.has(kind));
}

/**
 * Kinds of connections that serve a call, a test or a crawl; they are closed when they have been
 * idle.
 */
const BRIEF: ReadonlySet<Order['kind']> = new Set(['asked', 'test', 'crawl'] as const);
/**
 * Kinds of dials that serve a waiting call or test an address; a full node is not asked for
 * addresses then.
 */
const INQUIRIES: ReadonlySet<Order['kind']> = new Set(['asked', 'test'] as const);
const UNPROVEN = 'the other end names this node as a persistent peer by its id, so it has to prove that id';
/** Milliseconds of a short stay; long enough to learn addresses. */
const SHORT_STAY = 10_000;
const NOTHING = (): void => {};
