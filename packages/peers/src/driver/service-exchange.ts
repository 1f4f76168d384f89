// Exchanges services with peers: announces the services that this node serves now, and keeps the
// services of the connected peers.

import type { Remote } from '@trunkline/transport-core';
import { ServiceDirectory } from '../services/service-directory.ts';
import { readServices } from '../services/service-name.ts';
import type { Node } from './node.ts';
import type { Peer } from './peer-table.ts';
import type { PeersChannel } from './peers-channel.ts';
import { ServiceResolver } from './service-resolver.ts';

export class ServiceExchange {
  readonly directory = new ServiceDirectory();
  readonly resolver: ServiceResolver;
  readonly #node: Node;
  readonly #channel: PeersChannel;
  readonly #stopListening: () => void;
  /** The services of this node, including those that take no calls now. */
  #own: readonly string[];
  /** The services that were last announced to the peers. */
  #announced: readonly string[] = [];
  /**
   * Peers to which the services could not be announced yet, because their connections take no more
   * messages at the moment.
   */
  readonly #untold = new Set<string>();
  #retryDue = Number.POSITIVE_INFINITY;

  constructor(node: Node, channel: PeersChannel) {
    this.#node = node;
    this.#channel = channel;
    this.resolver = new ServiceResolver(this.directory, node.clock);
    this.#own = node.config.services;
    this.#stopListening = node.management.onServingChanged(() => this.#announce());
    this.#announce();
  }

  /**
   * Time of the next attempt to announce the services to a peer; Infinity if all peers know them.
   */
  get wakeAt(): number {
    return this.#retryDue;
  }

  wake(now: number): void {
    if (now < this.#retryDue) return;
    this.#retryDue = Number.POSITIVE_INFINITY;
    for (const nodeId of [...this.#untold]) {
      const peer = this.#node.peer(nodeId);
      if (peer !== undefined) this.#tell(peer);
    }
  }

  /** Sets the services of this node. */
  set(services: readonly string[]): void {
    this.#own = readServices(services, 'peers.services.set');
    this.#announce();
  }

  connected(peer: Peer): void {
    if (this.#announced.length > 0) this.#tell(peer);
  }

  gone(nodeId: string): void {
    this.#untold.delete(nodeId);
    if (this.directory.gone(nodeId)) this.resolver.changed();
  }

  heard(services: readonly string[], from: Remote): void {
    const peer = this.#node.peerTable.of(from);
    if (peer !== undefined && this.directory.heard(peer.nodeId, services)) this.resolver.changed();
  }

  /** Announces to all peers which services take calls, if that has changed. */
  #announce(): void {
    const services = this.#own.filter((service) => this.#node.management.isServing(service));
    if (services.join() === this.#announced.join()) return;
    this.#announced = services;
    for (const peer of this.#node.peerTable.peers.values()) this.#tell(peer);
  }

  #tell(peer: Peer): void {
    const { nodeId, main } = peer;
    if (this.#channel.say(main.remote, 'services', { services: [...this.#announced] })) {
      this.#untold.delete(nodeId);
      return;
    }
    this.#untold.add(nodeId);
    if (this.#retryDue !== Number.POSITIVE_INFINITY) return;
    this.#retryDue = this.#node.now() + RETRY;
    this.#node.soon();
  }

  close(): void {
    this.#stopListening();
    this.directory.clear();
    this.resolver.changed();
  }
}

/** Milliseconds before a failed announcement to a peer is tried again. */
const RETRY = 1_000;
