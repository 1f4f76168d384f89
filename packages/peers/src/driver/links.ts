// Turns connections into peers: groups the connections of one node, picks the connection to use,
// and reports that a peer is gone, with the cause, when its last connection ends. The transport
// reports each connection through `PeersDriver`. Tested by the tests in src/ (links.test.ts and
// others).

import type { Remote, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { nodeOf, type PendingConnection } from '@trunkline/transport-core/internal';
import type { DialOrder } from '../dialing/dial-order.ts';
import {
  AdmissionControl,
  type AdmittedConnection,
  makeRoom,
  part,
  runsPeers,
  takenError,
} from './admission-control.ts';
import type { Conversation } from './conversation.ts';
import type { Dials } from './dials.ts';
import { firstAddress, type Node } from './node.ts';
import type { Peer, PeerConnection } from './peer-table.ts';

export class Links {
  readonly #node: Node;
  readonly #dials: Dials;
  readonly #conversation: Conversation;
  readonly admission: AdmissionControl;

  constructor(node: Node, dials: Dials, conversation: Conversation) {
    this.#node = node;
    this.#dials = dials;
    this.#conversation = conversation;
    this.admission = new AdmissionControl(node, dials);
  }

  /**
   * Updates a peer after the persistent peers changed, or after another of its connections came up.
   */
  reclassify(peer: Peer): void {
    const node = this.#node;
    const { nodeId, links } = peer;
    if (!links.some(({ remote, dialed }) => node.isWelcome(nodeId, remote, dialed)))
      return part(node, peer, 'it is no longer listed');
    const persistent = links.some(({ dialed }) => node.planner.persistent.has(nodeId, dialed));
    const exempt = node.isExempt(nodeId, persistent);
    if (persistent === peer.persistent && exempt === peer.exempt) return;
    peer.persistent = persistent;
    peer.exempt = exempt;
    this.#conversation.addresses.connected(peer, node.now());
  }

  /** Makes an admitted connection the connection of a peer, or begins its visit. */
  up(remote: Remote): void {
    const node = this.#node;
    const admitted = this.admission.take(remote);
    if (admitted === undefined || node.closed) return;
    if (admitted.refused !== undefined) return this.#visit(remote, admitted, admitted.refused);
    const { nodeId, dialed } = admitted;
    const isRemoved = admitted.persistent && !node.planner.persistent.has(nodeId, dialed);
    if (isRemoved || !node.isWelcome(nodeId, remote, dialed)) {
      // It may come back as an ordinary peer.
      this.#dials.fulfil(admitted.orders, nodeId);
      const why = 'it was removed from the persistent peers while it connected';
      this.#dials.answer(nodeId, reasonError('disconnected', why, { sent: false }));
      return node.disconnect(remote, why);
    }
    const known = node.peer(nodeId);
    const isOther =
      known !== undefined &&
      (known.instance !== admitted.instance || known.proven !== admitted.proven);
    if (isOther && !admitted.proven) {
      // The other node became a peer after this connection was admitted.
      const taken = takenError(nodeId);
      if (remote.direction === 'in') this.turnedAway(remote.endpoint, taken, remote, nodeId);
      this.#dials.refuse(admitted.orders, taken);
      return node.management.retire(remote, taken.message);
    }
    if (isOther) this.#replace(known);
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
    this.#note(nodeId, remote, dialed);
    this.#dials.fulfil(admitted.orders, nodeId);
    if (admitted.orders.some(({ kind }) => kind === 'again' || kind === 'spare' || kind === 'seed'))
      makeRoom(node, peer);
    if (here === undefined) this.#arrived(peer);
    else this.reclassify(peer);
    this.#dials.answer(nodeId, remote);
    node.soon();
  }

  /**
   * Begins a visit: one end has no room for the other as a peer, so only addresses are exchanged
   * over this connection before it ends.
   */
  #visit(remote: Remote, admitted: AdmittedConnection, refused: TransportError): void {
    const { nodeId, orders } = admitted;
    this.#node.visits.begin(remote, nodeId, this.#node.now());
    if (remote.direction === 'in') {
      this.#note(nodeId, remote, undefined);
      this.turnedAway(remote.endpoint, refused, remote, nodeId);
    } else {
      this.#conversation.addresses.ask(remote);
      this.#dials.refuse(orders, refused);
    }
    this.#node.soon();
  }

  /**
   * Stores the address at which the peer of a connection can be reached in the address book. Stores
   * nothing if the user dialed the connection, or if the dialed target is only a node id.
   */
  #note(nodeId: string, remote: Remote, dialed: string | undefined): void {
    const { keeper } = this.#node;
    const now = this.#node.now();
    if (dialed === undefined ? remote.direction === 'out' : nodeOf(dialed) !== undefined) return;
    if (dialed !== undefined) keeper.book.succeeded(nodeId, dialed, now, remote.endpoint);
    const advertised = this.#node.advertisedAddress(remote);
    // The book refuses a dialed address that others can't dial, such as a link-local one.
    if (
      advertised !== undefined &&
      nodeOf(advertised) === undefined &&
      (dialed === undefined || keeper.book.get(nodeId) === undefined)
    )
      keeper.book.learn({ nodeId, address: advertised }, now, remote.endpoint);
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
    const former = peer.main;
    if (main !== former || peer.release === NOTHING) {
      peer.release();
      peer.main = main;
      peer.release = main.lasting ? config.transport.hold(main.remote) : () => {};
    }
    // The last announcement may be lost with the former connection.
    if (main !== former) this.#conversation.services.connected(peer);
    for (const link of peer.links) {
      if (link === main || link.dialed === undefined || !management.isUp(link.remote)) continue;
      management.retire(
        link.remote,
        `both ends dialed, and the link that node ${[nodeId, peer.nodeId].sort()[0]} dialed is kept`,
      );
    }
  }

  /**
   * Replaces a peer with another instance that has the same id, for example after a restart that
   * the old connections have not noticed yet.
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
    this.#left(peer, cause);
  }

  /**
   * Handles a change of the other end's protocols: a node that closes its peers but keeps its
   * transport is a client from then on, and one that has unmounted a required protocol is
   * disconnected.
   */
  remounted(remote: Remote, protocols: PendingConnection['protocols']): void {
    if (runsPeers(protocols)) {
      const mismatch = this.#node.incompatibility(protocols);
      if (mismatch !== undefined && this.#node.peerTable.of(remote) !== undefined)
        this.#node.management.cut(remote, mismatch);
      return;
    }
    // The error is the same as if the other end's transport had closed, or as if the other end had
    // ended the connection.
    this.#leave(
      remote,
      reasonError(
        remote.direction === 'out' ? 'closed' : 'disconnected',
        'the other end has closed its peers',
      ),
    );
  }

  /** Enters the new address of a peer in the address book, and uses it for further dials. */
  moved(remote: Remote): void {
    const { peerTable, keeper } = this.#node;
    const peer = peerTable.of(remote);
    const address = this.#node.advertisedAddress(remote);
    if (peer === undefined || address === undefined) return;
    const now = this.#node.now();
    keeper.book.learn({ nodeId: peer.nodeId, address }, now, remote.endpoint);
    keeper.met(now);
    this.#node.soon();
  }

  down(remote: Remote, cause: TransportError): void {
    this.admission.take(remote);
    this.#leave(remote, cause);
  }

  #leave(remote: Remote, cause: TransportError): void {
    const { peerTable, closed, visits } = this.#node;
    visits.end(remote);
    const peer = peerTable.remove(remote);
    if (peer === undefined || closed) return;
    if (peer.links.length > 0) return this.#settle(peer);
    peer.release();
    this.#left(peer, cause);
    this.#node.soon();
  }

  #arrived(peer: Peer): void {
    const node = this.#node;
    const now = node.now();
    node.keeper.trust.connected(peer.nodeId);
    this.#conversation.connected(peer, now);
    node.events.tell({ type: 'up', peer: node.info(peer) });
  }

  #left(peer: Peer, cause: TransportError): void {
    const node = this.#node;
    const { nodeId, persistent, main } = peer;
    const now = node.now();
    if (cause.reason === 'ping_timeout' || cause.reason === 'malformed' || cause.reason === 'flood')
      node.keeper.trust.bad(nodeId);
    node.keeper.trust.gone(nodeId);
    this.#conversation.gone(peer, now);
    const booked = node.keeper.book.get(nodeId)?.address;
    node.planner.lost({ nodeId, address: main.dialed, booked, persistent }, cause, now);
    node.events.tell({ type: 'down', nodeId, addr: node.addressOf(peer), cause });
  }

  /** Reports an incoming connection that failed. `Dials` reports failures of dial orders. */
  turnedAway(
    endpoint: string,
    error: TransportError,
    remote: Remote | undefined,
    nodeId = remote && this.admission.claimOf(remote),
  ): void {
    if (this.#node.closed) return;
    const addr = firstAddress(remote?.addr);
    this.#node.rejected({ direction: 'in', error, nodeId, addr, endpoint, remote });
  }
}

/**
 * Returns whether a connection is kept open when it is idle. The end that dialed decides:
 * connections that the planner dials are meant to stay, except short-lived ones (`BRIEF`).
 */
function isLasting({ direction, persistent, orders }: AdmittedConnection): boolean {
  return direction === 'in' || persistent || orders.some(({ kind }) => !BRIEF.has(kind));
}

/**
 * Kinds of connections that serve a call, a test or a crawl; they are closed when they are idle.
 */
const BRIEF: ReadonlySet<DialOrder['kind']> = new Set(['asked', 'test', 'crawl'] as const);
const NOTHING = (): void => {};
