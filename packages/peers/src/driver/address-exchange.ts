// Exchanges addresses with peers: runs the machine of peer exchange over the wire protocol, answers
// visitors of a full node, and enters the addresses that peers report in the address book.

import type { Remote } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import type { BookAddress } from '../book/book-entry.ts';
import type { AddressList } from '../exchange/address-list.ts';
import { PeerExchange, readAddressEntries } from '../exchange/peer-exchange.ts';
import type { Node } from './node.ts';
import type { Peer } from './peer-table.ts';
import type { PeersChannel } from './peers-channel.ts';
import type { Visits } from './visits.ts';

/** A node that reports addresses, and the connection over which it does so. */
export interface AddressSource {
  readonly nodeId: string;
  readonly remote: Remote;
}

export class AddressExchange {
  readonly #node: Node;
  readonly #visits: Visits;
  readonly #channel: PeersChannel;
  readonly #machine: PeerExchange;

  constructor(node: Node, visits: Visits, channel: PeersChannel) {
    const { interval, seed } = node.config.exchange;
    this.#node = node;
    this.#visits = visits;
    this.#channel = channel;
    this.#machine = new PeerExchange({ random: node.config.transport.random, interval, seed });
  }

  get wakeAt(): number {
    return this.#node.config.exchange.enabled ? this.#machine.wakeAt : Number.POSITIVE_INFINITY;
  }

  wake(now: number): void {
    const { config, keeper } = this.#node;
    if (!config.exchange.enabled) return;
    this.#machine.handle(now, { type: 'wake', wanted: keeper.book.needsMore });
    this.#run();
  }

  /** Begins or updates the session with a peer. */
  connected({ nodeId, persistent, main }: Peer, now: number): void {
    const { direction } = main.remote;
    this.#machine.handle(now, { type: 'connected', nodeId, direction, persistent });
  }

  gone({ nodeId, proven }: Peer, now: number): void {
    this.#machine.handle(now, { type: 'gone', nodeId, proven });
  }

  /** Asks a full node for addresses, over a connection that it closes after its answer. */
  visit(remote: Remote): void {
    this.#channel.say(remote, 'request', EMPTY);
  }

  /** Handles a request for addresses. */
  requested(from: Remote): void {
    const node = this.#node;
    if (!node.config.exchange.enabled) return;
    if (this.#visits.conclude(from, 'in', node.now()) !== undefined) {
      this.#answer(from);
      return node.disconnect(
        from,
        'this node has no room for another peer; it has sent addresses of other nodes',
      );
    }
    const peer = node.peerTable.of(from);
    if (peer === undefined) return;
    this.#machine.handle(node.now(), { type: 'request', nodeId: peer.nodeId });
    this.#run(from);
  }

  /** Handles a list of addresses. */
  received(list: AddressList, from: Remote): void {
    const node = this.#node;
    const visited = this.#visits.conclude(from, 'out', node.now());
    if (visited !== undefined) {
      this.learn(readAddressEntries(list.read() ?? []), { nodeId: visited, remote: from });
      return node.disconnect(
        from,
        'it sent addresses of other nodes and has no room for another peer',
      );
    }
    const peer = node.peerTable.of(from);
    if (peer === undefined) return;
    this.#machine.handle(node.now(), { type: 'addresses', nodeId: peer.nodeId, list });
    this.#run(from);
  }

  /**
   * Enters reported addresses in the book. Their source is the endpoint that this node sees, not
   * the address that the peer advertises. Otherwise the peer could evade the limits on addresses
   * from one source.
   */
  learn(entries: readonly BookAddress[], { nodeId, remote }: AddressSource): void {
    const node = this.#node;
    const now = node.now();
    const source = { nodeId, address: remote.endpoint };
    for (const entry of entries) node.keeper.book.add(entry, source, now);
    node.soon();
  }

  /**
   * Carries out the machine's outputs. @param from the connection whose message caused the outputs;
   * the answer is sent over it.
   */
  #run(from?: Remote): void {
    const node = this.#node;
    for (let output = this.#machine.poll(); output !== undefined; output = this.#machine.poll()) {
      const peer = node.peer(output.nodeId);
      if (peer === undefined) continue;
      const { nodeId, main } = peer;
      const remote = from ?? main.remote;
      switch (output.type) {
        case 'request':
          this.#channel.say(remote, 'request', EMPTY);
          break;
        case 'answer':
          this.#answer(remote);
          break;
        case 'part':
          for (const link of peer.links)
            node.disconnect(link.remote, 'a seed answers one request and then disconnects');
          break;
        case 'too_many_requests':
          node.penalize(peer, reasonError('flood', 'it requested addresses too often'));
          break;
        case 'unsolicited':
          node.penalize(
            peer,
            reasonError('flood', 'it sent addresses that were not requested'),
            true,
          );
          break;
        case 'malformed':
          node.keeper.trust.bad(nodeId, node.now());
          break;
        case 'addresses':
          node.keeper.trust.good(nodeId, node.now());
          this.learn(output.entries, { nodeId, remote });
          break;
      }
    }
  }

  #answer(to: Remote): void {
    const { config, keeper, peerTable } = this.#node;
    const now = this.#node.now();
    const addresses = config.exchange.seed
      ? keeper.book.select(now, SEED_BIAS)
      : keeper.book.selectAround(peerTable.peers.keys(), now);
    this.#channel.say(to, 'addresses', { addresses });
  }
}

const EMPTY: Uint8Array = new Uint8Array();
/** Percentage of new addresses in a seed's answers (Tendermint). */
const SEED_BIAS = 30;
