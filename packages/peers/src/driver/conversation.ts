// The messages between peers: serves the wire protocol, and hands requests for addresses to the
// address exchange, statuses to the status exchange and services to the service exchange.

import { type Server, serve } from '@trunkline/transport-core';
import { charge } from '@trunkline/transport-core/internal';
import { AddressExchange } from './address-exchange.ts';
import type { Node } from './node.ts';
import type { Peer } from './peer-table.ts';
import { PeersChannel } from './peers-channel.ts';
import { ServiceExchange } from './service-exchange.ts';
import { StatusExchange } from './status-exchange.ts';
import type { Visits } from './visits.ts';

export class Conversation {
  readonly addresses: AddressExchange;
  readonly statuses: StatusExchange;
  readonly services: ServiceExchange;
  readonly #channel: PeersChannel;
  readonly #server: Server;

  constructor(node: Node, visits: Visits) {
    const channel = new PeersChannel(node.config.transport);
    this.#channel = channel;
    this.addresses = new AddressExchange(node, visits, channel);
    this.statuses = new StatusExchange(node, channel);
    this.services = new ServiceExchange(node, channel);
    this.#server = serve(channel.mount, {
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
    await this.#channel.mount.close();
  }
}

/**
 * Work units for the number of a status, for a request for the status itself, or for a list of
 * services. In addition, one unit for each 64 bytes of the status or for each service
 * (docs/wire-peers.md).
 */
const STATUS = 64;
const STATUS_SHIFT = 6;
