// The messages between peers: serves the wire protocol, and hands requests for addresses to the
// address exchange, statuses to the status exchange and services to the service exchange. Tested in
// status-exchange.test.ts, and by the tests in src/, such as exchange.test.ts and visits.test.ts.

import { type Remote, type Server, serve, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { charge } from '@trunkline/transport-core/internal';
import type { BookAddress } from '../book/entries.ts';
import { decodeList, encodeList, readAddressEntries } from '../exchange/address-list.ts';
import { PeerExchange } from '../exchange/peer-exchange.ts';
import { PeerLimits } from '../limits.ts';
import { decodeStatus, encodeStatus, type PeersMount, peersProtocol, say } from '../protocol.ts';
import { PullRation, StatusSync } from '../status/status-sync.ts';
import type { Node } from './node.ts';
import type { Peer } from './peer-table.ts';
import { ServiceExchange } from './services.ts';

export class Conversation {
  readonly addresses: AddressExchange;
  readonly statuses: StatusExchange;
  readonly services: ServiceExchange;
  readonly #mount: PeersMount;
  readonly #server: Server;

  constructor(node: Node) {
    // It is mounted even if there is nothing to exchange, because it makes this node a peer.
    const mount = node.config.transport.mount(peersProtocol);
    this.#mount = mount;
    this.addresses = new AddressExchange(node, mount);
    this.statuses = new StatusExchange(node, mount);
    this.services = new ServiceExchange(node, mount);
    this.#server = serve(mount, {
      request: (_, { from }) => this.addresses.requested(from),
      addresses: (list, { from }) => this.addresses.received(list, from),
      status: ({ seq }, rpc) => {
        charge(rpc, STATUS);
        this.statuses.heard(seq, rpc.from);
      },
      pull: (_, rpc) => {
        const answer = this.statuses.answer();
        charge(rpc, STATUS + (answer.length >> STATUS_SHIFT));
        return answer;
      },
      services: ({ services }, rpc) => {
        charge(rpc, STATUS + services.length);
        this.services.heard(services, rpc.from);
      },
    });
  }

  get wakeAt(): number {
    return Math.min(this.addresses.wakeAt, this.statuses.wakeAt, this.services.wakeAt);
  }

  wake(now: number): void {
    this.addresses.wake(now);
    this.statuses.wake(now);
    this.services.wake(now);
  }

  connected(peer: Peer, now: number): void {
    this.addresses.connected(peer, now);
    this.statuses.connected(peer, now);
    this.services.connected(peer);
  }

  gone(peer: Peer, now: number): void {
    this.addresses.gone(peer, now);
    this.statuses.gone(peer, now);
    this.services.gone(peer.nodeId);
  }

  async close(): Promise<void> {
    this.services.close();
    void this.#server.stop({ grace: 0 });
    await this.#mount.close();
  }
}

/**
 * Work units for the number of a status, for a request for the status itself, or for a list of
 * services. In addition, one unit for each 64 bytes of the status or for each service
 * (docs/wire-peers.md).
 */
const STATUS = 64;
const STATUS_SHIFT = 6;

// Exchanges addresses with peers: runs the machine of peer exchange over the wire protocol, answers
// visitors of a full node, and enters the addresses that peers report in the address book.

class AddressExchange {
  readonly #node: Node;
  readonly #mount: PeersMount;
  readonly #machine: PeerExchange;

  constructor(node: Node, mount: PeersMount) {
    const { interval, seed } = node.config.exchange;
    this.#node = node;
    this.#mount = mount;
    this.#machine = new PeerExchange({ random: node.config.transport.random, interval, seed });
  }

  get wakeAt(): number {
    return this.#node.config.exchange.enabled ? this.#machine.wakeAt : Number.POSITIVE_INFINITY;
  }

  wake(now: number): void {
    const { config, keeper } = this.#node;
    if (!config.exchange.enabled) return;
    for (const nodeId of this.#machine.ask(keeper.book.needsMore, now)) {
      const peer = this.#node.peer(nodeId);
      if (peer !== undefined) this.ask(peer.main.remote);
    }
    for (const nodeId of this.#machine.overstayed(now)) this.#part(nodeId);
  }

  /** Begins or updates the session with a peer. */
  connected({ nodeId, persistent, main }: Peer, now: number): void {
    this.#machine.connected(nodeId, { direction: main.remote.direction, persistent }, now);
  }

  gone({ nodeId, proven }: Peer, now: number): void {
    this.#machine.gone(nodeId, proven, now);
  }

  /** Asks the other end for addresses. A full node closes the connection after its answer. */
  ask(remote: Remote): void {
    say(this.#mount, remote, 'request', EMPTY);
  }

  /** Handles a request for addresses. */
  requested(from: Remote): void {
    const node = this.#node;
    if (!node.config.exchange.enabled) return;
    if (node.visits.conclude(from, 'in', node.now()) !== undefined) {
      this.#answer(from);
      return node.disconnect(
        from,
        'this node has no room for another peer; it has sent addresses of other nodes',
      );
    }
    const peer = node.peerTable.of(from);
    if (peer === undefined) return;
    const verdict = this.#machine.requested(peer.nodeId, node.now());
    if (verdict === 'too_many_requests')
      return node.penalize(peer, reasonError('flood', 'it requested addresses too often'));
    if (verdict === 'answer' || verdict === 'answer_and_part') this.#answer(from);
    if (verdict === 'part' || verdict === 'answer_and_part') this.#part(peer.nodeId);
  }

  /** Handles a list of addresses. It is decoded only if this node requested it. */
  received(list: Uint8Array, from: Remote): void {
    const node = this.#node;
    const visited = node.visits.conclude(from, 'out', node.now());
    if (visited !== undefined) {
      this.learn(readAddressEntries(decodeList(list) ?? []), visited, from);
      return node.disconnect(
        from,
        'it sent addresses of other nodes and has no room for another peer',
      );
    }
    const peer = node.peerTable.of(from);
    if (peer === undefined) return;
    const { nodeId } = peer;
    const verdict = this.#machine.received(nodeId, node.now());
    if (verdict === 'ignored') return;
    if (verdict === 'unsolicited') {
      const error = reasonError('flood', 'it sent addresses that were not requested');
      return node.penalize(peer, error, true);
    }
    const entries = decodeList(list);
    if (entries === undefined) return node.keeper.trust.bad(nodeId);
    node.keeper.trust.good(nodeId);
    this.learn(readAddressEntries(entries), nodeId, from);
  }

  /**
   * Enters addresses that a node reported in the book. Their source is the endpoint that this node
   * sees, not the address that the peer advertises. Otherwise the peer could evade the limits on
   * addresses from one source.
   */
  learn(entries: readonly BookAddress[], nodeId: string, remote: Remote): void {
    const node = this.#node;
    const now = node.now();
    const source = { nodeId, address: remote.endpoint };
    for (const entry of entries) node.keeper.book.add(entry, source, now);
    node.soon();
  }

  #part(nodeId: string): void {
    for (const { remote } of [...(this.#node.peer(nodeId)?.links ?? [])])
      this.#node.disconnect(remote, 'a seed answers one request and then disconnects');
  }

  #answer(to: Remote): void {
    const { config, keeper, peerTable } = this.#node;
    const now = this.#node.now();
    const addresses = config.exchange.seed
      ? keeper.book.select(now, SEED_BIAS)
      : keeper.book.selectAround(peerTable.peers.keys(), now);
    say(this.#mount, to, 'addresses', encodeList(addresses));
  }
}

const EMPTY: Uint8Array = new Uint8Array();
/** Percentage of new addresses in a seed's answers (Tendermint). */
const SEED_BIAS = 30;

// Exchanges statuses with peers: runs StatusSync over the wire protocol, limits the pulls, and
// decodes the statuses that peers publish.

export class StatusExchange {
  readonly #node: Node;
  readonly #mount: PeersMount;
  readonly #sync: StatusSync;
  readonly #rations = new PeerLimits(() => new PullRation());

  constructor(node: Node, mount: PeersMount) {
    this.#node = node;
    this.#mount = mount;
    this.#sync = new StatusSync({
      random: node.config.transport.random,
      now: node.now(),
      interval: node.config.statusInterval,
    });
  }

  get wakeAt(): number {
    return this.#sync.wakeAt;
  }

  wake(now: number): void {
    if (!this.#sync.beat(now)) return;
    for (const peer of this.#node.peerTable.peers.values()) this.#tell(peer);
  }

  /** Sets this node's status; undefined clears it. */
  set(value: Uint8Array | undefined): void {
    this.#sync.set(value, this.#node.now());
    this.#node.soon();
  }

  connected(peer: Peer, now: number): void {
    if (this.#sync.connected(peer.nodeId, peer.instance, now)) this.#tell(peer);
  }

  gone({ nodeId, proven }: Pick<Peer, 'nodeId' | 'proven'>, now: number): void {
    this.#rations.gone(nodeId, proven, now);
    this.#sync.gone(nodeId);
    this.#node.statuses.delete(nodeId);
  }

  /** Returns the answer to a pull. */
  answer(): Uint8Array {
    return encodeStatus(this.#sync.seq, this.#sync.own);
  }

  /** Handles the number of a peer's status. */
  heard(seq: number, from: Remote): void {
    const node = this.#node;
    const peer = node.peerTable.of(from);
    if (peer === undefined || node.config.status === undefined) return;
    if (this.#sync.heard(peer.nodeId, peer.instance, seq, node.now())) void this.#pull(peer);
  }

  #tell({ main }: Peer): void {
    say(this.#mount, main.remote, 'status', { seq: this.#sync.seq });
  }

  async #pull({ nodeId, instance, main }: Peer): Promise<void> {
    const node = this.#node;
    const sync = this.#sync;
    // The peer keeps repeating its number, so the pull is tried again later.
    if (!this.#rations.of(nodeId, node.now()).take(node.now()))
      return sync.pullFailed(nodeId, instance);
    const answer = await this.#mount
      .send(main.remote, 'pull', EMPTY)
      .then(decodeStatus, () => undefined);
    if (answer === undefined) return sync.pullFailed(nodeId, instance);
    const now = node.now();
    const { changed, again } = sync.pulled(nodeId, instance, answer, now);
    if (changed && !this.#changed(nodeId)) this.#rations.of(nodeId, now).spoiled(now);
    const peer = node.peerTable.peers.get(nodeId);
    if (again && peer !== undefined) void this.#pull(peer);
  }

  /** Decodes the new status of a peer and reports it. Returns false if it can't be decoded. */
  #changed(nodeId: string): boolean {
    const { config, events, keeper, statuses } = this.#node;
    const told = this.#sync.of(nodeId);
    try {
      // Without a codec, no status is pulled.
      if (told === undefined) statuses.delete(nodeId);
      else statuses.set(nodeId, config.status!.decode(told));
    } catch (error) {
      keeper.trust.bad(nodeId);
      const text = error instanceof Error ? error.message : String(error);
      // The previous status is dropped, because it is no longer the peer's status.
      if (statuses.delete(nodeId)) events.tell({ type: 'status', nodeId, status: undefined });
      this.#node.warn(
        new TransportError(
          'invalid_argument',
          `The status of node ${nodeId} can't be read: ${text}`,
          { target: nodeId, cause: error },
        ),
      );
      return false;
    }
    events.tell({ type: 'status', nodeId, status: statuses.get(nodeId) });
    return true;
  }
}
