// Turns connections into peers: groups the connections of one node, picks the one to use, and
// reports a peer as gone with the cause when its last connection ends.

import { type Remote, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { nodeOf, type PendingConnection } from '@trunkline/transport-core/internal';
import { placeOf } from '../address/place.ts';
import type { AdmissionState, ConnectedPeer } from '../admission/admission.ts';
import { peersProtocol, VISIT } from '../protocol.ts';
import { AdmissionControl, type AdmittedConnection } from './admission-control.ts';
import type { DialOutcomes } from './dial-outcomes.ts';
import type { Order } from './dialer.ts';
import { firstAddress } from './first-address.ts';
import type { Node } from './node.ts';
import type { Peer, PeerConnection } from './peer-table.ts';
import { rejectionOf } from './rejection.ts';
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
  readonly #orders: DialOutcomes;
  readonly #visits: Visits;
  readonly #host: LinksHost;
  readonly #admission: AdmissionControl;
  readonly #state: AdmissionState;
  /**
   * Connections whose hello was read and that are not up yet, with the node id that the other end
   * proved or asserted; '' if it has none.
   */
  readonly #pendingConnections = new Map<Remote, string>();

  constructor(node: Node, orders: DialOutcomes, visits: Visits, host: LinksHost) {
    const admission = new AdmissionControl(node.config, node.clock, visits);
    this.#node = node;
    this.#orders = orders;
    this.#visits = visits;
    this.#host = host;
    this.#admission = admission;
    const yielding = () => this.#yielding().length;
    this.#state = {
      nodeId: node.nodeId,
      isBanned: (nodeId) => node.keeper.book.isBanned(nodeId, node.now()),
      peer: (nodeId) => this.#resident(node.peer(nodeId)),
      isTwin: (nodeId, instance) => node.twins.isTwin(nodeId, instance, node.now()),
      get inbound() {
        return node.peerTable.count('in') + admission.inbound();
      },
      get yielding() {
        return yielding();
      },
      inboundOf: (group) => node.peerTable.countInbound(group) + admission.inbound(group),
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
      if (this.#node.planner.named.isNamed(nodeId))
        throw reasonError('identity_mismatch', UNPROVEN);
    }
    // A transport may call itself; only a dial of the planner to itself is an error.
    if (remote.instance === this.#node.instance && orders.length === 0) return undefined;
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
    const admitted = this.#admitted(pendingConnection, nodeId, orders);
    if (!this.#isWelcome(admitted, remote, admitted.dialed)) {
      // A connection that the user dialed belongs to a client.
      if (remote.direction === 'out' && orders.length === 0)
        return this.#receiveClient(nodeId, orders);
      throw reasonError(
        'denied',
        `node ${nodeId} is not listed: this node accepts only listed nodes as peers (membership 'listed')`,
      );
    }
    const verdict = this.#admission.receive(
      pendingConnection,
      admitted,
      this.#state,
      target ?? remote.endpoint,
    );
    this.#yield();
    return verdict;
  }

  /**
   * Accepts a node that runs no peers as a client: it may call and be called, but is not a peer,
   * even if it proved its id. Throws if it is banned, or if this node's planner dialed it.
   */
  #receiveClient(nodeId: string, orders: readonly Order[]): undefined {
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
  #receiveUnproven(nodeId: string, orders: readonly Order[]): undefined {
    if (orders.length === 0) return this.#receiveClient(nodeId, orders);
    const remedy =
      "dial an address at which it proves its id, or give createPeers 'allowAsserted: true'";
    throw reasonError(
      'identity_mismatch',
      `node ${nodeId} only asserts its id, but the dialer accepts only nodes that prove theirs as peers: ${remedy}`,
    );
  }

  #admitted(
    { remote, features }: PendingConnection,
    nodeId: string,
    orders: readonly Order[],
  ): AdmittedConnection {
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
      refused:
        remote.direction === 'out' && features.includes(VISIT)
          ? this.#refusedBy(nodeId, orders)
          : undefined,
    };
  }

  /**
   * Returns the error for a full node at the other end, if it should be asked for addresses. That
   * is so only if addresses are wanted and the planner dialed it to get a peer; otherwise this
   * throws the error.
   */
  #refusedBy(nodeId: string, orders: readonly Order[]): TransportError {
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

  #resident(peer: Peer | undefined): ConnectedPeer | undefined {
    if (peer === undefined) return undefined;
    const { instance, proven, links, exempt, leaving, main } = peer;
    const isParting = !links.some(({ remote }) => this.#node.management.isUp(remote));
    return {
      instance,
      proven,
      links: links.length,
      isParting,
      isInbound: !exempt && !leaving && main.remote.direction === 'in',
    };
  }

  /**
   * Returns whether the node may be a peer: always with open membership, otherwise only if it is
   * listed.
   */
  #isWelcome(
    peer: { readonly nodeId: string; readonly proven: boolean },
    remote: Remote,
    dialed?: string,
  ): boolean {
    return this.#node.config.membership === 'open' || this.#node.isListed(peer, remote, dialed);
  }

  /** Returns whether the connection was dialed for a persistent peer that was removed meanwhile. */
  #isStale(nodeId: string, orders: readonly Order[]): boolean {
    const [order] = orders;
    return (
      order !== undefined &&
      orders.every(({ kind }) => kind === 'persistent') &&
      !this.#node.planner.named.isPersistent(nodeId, order.address)
    );
  }

  /**
   * Updates a peer after the persistent peers changed, or after another of its connections came up.
   */
  reclassify(peer: Peer): void {
    if (!peer.links.some(({ remote, dialed }) => this.#isWelcome(peer, remote, dialed)))
      return this.#part(peer, 'it is no longer listed');
    if (!this.#node.isCertain(peer) && this.#node.planner.named.isNamed(peer.nodeId))
      return this.#part(peer, UNPROVEN);
    const persistent = peer.links.some(({ dialed }) => this.#node.isPersistent(peer, dialed));
    if (persistent === peer.persistent) return;
    peer.persistent = persistent;
    peer.exempt = this.#isExempt(peer);
    this.#node.peerTable.recount();
    this.#host.reclassified(peer);
  }

  #isExempt(peer: {
    readonly nodeId: string;
    readonly proven: boolean;
    readonly persistent: boolean;
  }): boolean {
    return (
      peer.persistent ||
      (this.#node.isCertain(peer) && this.#node.config.unconditional.includes(peer.nodeId))
    );
  }

  up(remote: Remote): void {
    const node = this.#node;
    this.#pendingConnections.delete(remote);
    const admitted = this.#admission.connections.get(remote);
    this.#admission.connections.delete(remote);
    if (admitted === undefined || node.closed) return;
    if (admitted.refused !== undefined) return this.#visit(remote, admitted, admitted.refused);
    const { nodeId, dialed } = admitted;
    if (admitted.persistent && !node.isPersistent(admitted, dialed))
      return this.#dismiss(remote, admitted);
    if (!this.#isWelcome(admitted, remote, dialed)) return this.#dismiss(remote, admitted);
    const known = node.peer(nodeId);
    if (
      known !== undefined &&
      (known.instance !== admitted.instance || known.proven !== admitted.proven)
    )
      this.#replace(known);
    const here = node.peer(nodeId);
    const link: PeerConnection = {
      remote,
      dialed,
      lasting: isLasting(admitted),
      received: node.management.received(remote),
    };
    const peer: Peer = here ?? {
      ...admitted,
      since: node.now(),
      links: [],
      main: link,
      release: NOTHING,
      leaving: false,
    };
    peer.leaving = false;
    node.peerTable.add(peer, link);
    this.#settle(peer);
    // An asserted id must not change where a node is dialed.
    if (node.isCertain(admitted)) this.#note(nodeId, remote, dialed);
    this.#orders.fulfil(admitted.orders, nodeId);
    if (admitted.orders.some(({ kind }) => kind === 'again' || kind === 'spare' || kind === 'seed'))
      this.#makeRoom(peer);
    if (here === undefined) this.#host.arrived(peer);
    else this.reclassify(peer);
    this.#orders.arrived(nodeId, remote);
    node.soon();
  }

  /**
   * Begins a visit: one end has no room for the other as a peer, so only addresses are exchanged
   * over this connection before it ends.
   */
  #visit(remote: Remote, admitted: AdmittedConnection, refused: TransportError): void {
    const { nodeId, orders } = admitted;
    this.#visits.begin(remote, nodeId, this.#node.now());
    if (remote.direction === 'in') {
      if (this.#node.isCertain(admitted)) this.#note(nodeId, remote, undefined);
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
    const { peerTable, config } = this.#node;
    const lasting = config.maxInbound - Math.floor(config.maxInbound / 10);
    if (peerTable.count('in') <= lasting) return [];
    const since = this.#node.now() - SHORT_STAY;
    return this.#ordinary('in')
      .slice(lasting)
      .filter((peer) => peer.since <= since);
  }

  /** Disconnects short-stay peers if a node was let in when all places were taken. */
  #yield(): void {
    for (const peer of this.#yielding()) {
      if (this.#state.inbound <= this.#node.config.maxInbound) return;
      this.#part(peer);
    }
  }

  /**
   * If there is one ordinary outbound peer too many, disconnects the youngest of the others. Peers
   * that were lost and came back go last.
   */
  #makeRoom(newcomer: Peer): void {
    if (this.#node.peerTable.count('out') <= this.#node.config.maxOutbound) return;
    const others = this.#ordinary('out').filter((peer) => peer !== newcomer);
    const going = others.findLast(({ returned }) => !returned) ?? others.at(-1);
    if (going !== undefined) this.#part(going);
  }

  /** Returns the peers that count against a limit, in the order in which they connected. */
  #ordinary(direction: 'in' | 'out'): Peer[] {
    return [...this.#node.peerTable.peers.values()].filter(
      ({ exempt, leaving, main }) => !exempt && !leaving && main.remote.direction === direction,
    );
  }

  #part(peer: Peer, why = 'another peer replaced it'): void {
    peer.leaving = true;
    this.#node.peerTable.recount();
    for (const { remote } of peer.links)
      void this.#node.config.transport.disconnect(remote, why).catch(() => {});
  }

  /**
   * Disconnects a node that was admitted as a persistent or listed peer and was taken off the list
   * before its connection came up. It may come back as an ordinary peer.
   */
  #dismiss(remote: Remote, { nodeId, orders }: AdmittedConnection): void {
    this.#orders.fulfil(orders, nodeId);
    void this.#node.config.transport
      .disconnect(remote, 'it was removed from the persistent peers while it connected')
      .catch(() => {});
  }

  /** Stores in the address book where the peer of a connection can be reached. */
  #note(nodeId: string, remote: Remote, dialed: string | undefined): void {
    const { keeper } = this.#node;
    const now = this.#node.now();
    const address =
      dialed ?? (remote.direction === 'in' ? this.#node.toldAddress(remote) : undefined);
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
    const { peerTable, management, config, nodeId } = this.#node;
    const main = peerTable.elect(peer, management.isUp);
    if (main === undefined) return;
    if (main !== peer.main || peer.release === NOTHING) {
      peer.release();
      peer.main = main;
      peerTable.recount();
      peer.release = main.lasting ? config.transport.hold(main.remote) : () => {};
    }
    for (const link of peer.links) {
      if (link === main || link.dialed === undefined || !management.isUp(link.remote)) continue;
      management.retire(
        link.remote,
        `both ends dialed, and the link that node ${[nodeId, peer.nodeId].sort()[0]} dialed is kept`,
      );
    }
  }

  /**
   * Replaces a peer by another instance with the same id, for example after a restart that its old
   * connections have not noticed yet.
   */
  #replace(peer: Peer): void {
    const cause = reasonError(
      'duplicate',
      `node ${peer.nodeId} restarted: another instance of it is connected`,
    );
    peer.release();
    if (peer.proven) this.#node.twins.replaced(peer.nodeId, peer.instance);
    for (const { remote } of this.#node.peerTable.dismiss(peer))
      this.#node.management.retire(remote, cause.message);
    this.#host.left(peer, cause);
  }

  /**
   * Handles a change of the other end's protocols: a node that closes its peers but keeps its
   * transport is a client from then on.
   */
  remounted(remote: Remote, protocols: PendingConnection['protocols']): void {
    if (runsPeers(protocols)) return;
    // The same error as if its transport had closed, or as if it had ended the connection itself.
    this.#leave(
      remote,
      reasonError(
        remote.direction === 'out' ? 'closed' : 'disconnected',
        'the other end has closed its peers',
      ),
    );
  }

  down(remote: Remote, cause: TransportError): void {
    this.#pendingConnections.delete(remote);
    this.#admission.connections.delete(remote);
    this.#leave(remote, cause);
  }

  #leave(remote: Remote, cause: TransportError): void {
    const { peerTable, closed } = this.#node;
    this.#visits.end(remote);
    const peer = peerTable.remove(remote);
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

  #tell(
    endpoint: string,
    error: TransportError,
    remote: Remote | undefined,
    nodeId: string | undefined,
  ): void {
    const reason = rejectionOf(error, 'in');
    this.#node.events.tell({
      type: 'rejected',
      reason,
      direction: 'in',
      error,
      nodeId,
      addr: firstAddress(remote?.addr),
      endpoint,
      remote,
    });
  }
}

function runsPeers(protocols: PendingConnection['protocols']): boolean {
  return protocols.some(({ name }) => name === peersProtocol.name);
}

/**
 * Returns whether a connection is kept open when it is idle. The end that dialed decides:
 * connections that the planner dials are meant to stay, except short-lived ones (`BRIEF`).
 */
function isLasting({ direction, persistent, orders }: AdmittedConnection): boolean {
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
const UNPROVEN =
  'the other end names this node as a persistent peer by its id, so this node must prove that id';
/** Milliseconds of a short stay; long enough to learn addresses. */
const SHORT_STAY = 10_000;
const NOTHING = (): void => {};
