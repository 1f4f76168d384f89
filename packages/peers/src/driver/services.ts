// Exchanges services with peers: announces the services that this node serves now, keeps the
// services of the connected peers, and resolves 'service:<name>' to the peers that serve it. Tested
// in services.test.ts, here and in src/.

import {
  type Clock,
  type ClockTimer,
  type Remote,
  type Resolver,
  TransportError,
} from '@trunkline/transport-core';
import type { ResolutionObserver } from '@trunkline/transport-core/backend';
import { isServiceName, readServices, SERVICE_NAME, SERVICES } from '../options.ts';
import { type PeersMount, say } from '../protocol.ts';
import type { Node } from './node.ts';
import type { Peer } from './peer-table.ts';

export class ServiceExchange {
  readonly directory: ServiceDirectory;
  readonly #node: Node;
  readonly #mount: PeersMount;
  readonly #stopListening: () => void;
  /** The services of this node, including those that take no calls now. */
  #own: readonly string[];
  /** The services that were last announced to the peers; `NONE` if there were never any. */
  #announced = NONE;
  /**
   * Peers to which the services could not be announced yet, because their connections take no more
   * messages at the moment.
   */
  readonly #untold = new Set<string>();
  /**
   * Time of the next attempt to announce the services to a peer; Infinity if all peers know them.
   */
  wakeAt = Number.POSITIVE_INFINITY;

  constructor(node: Node, mount: PeersMount) {
    this.#node = node;
    this.#mount = mount;
    this.directory = new ServiceDirectory(node.clock);
    this.#own = node.config.services;
    this.#stopListening = node.management.onServingChanged(() => this.#announce());
    this.#announce();
  }

  wake(now: number): void {
    if (now < this.wakeAt) return;
    this.wakeAt = Number.POSITIVE_INFINITY;
    for (const nodeId of [...this.#untold]) {
      const peer = this.#node.peer(nodeId);
      if (peer !== undefined) this.#tell(peer);
    }
  }

  /** Sets the services of this node; throws a TypeError for an invalid name. */
  set(services: readonly string[]): void {
    this.#own = readServices(services, 'peers.services.set');
    this.#announce();
  }

  /** Announces the services to a new peer, or to one whose connection in use has changed. */
  connected(peer: Peer): void {
    if (this.#announced !== NONE) this.#tell(peer);
  }

  gone(nodeId: string): void {
    this.#untold.delete(nodeId);
    this.directory.set(nodeId, []);
  }

  heard(services: readonly string[], from: Remote): void {
    const peer = this.#node.peerTable.of(from);
    if (peer !== undefined) this.directory.set(peer.nodeId, services);
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
    if (say(this.#mount, main.remote, 'services', { services: [...this.#announced] })) {
      this.#untold.delete(nodeId);
      return;
    }
    this.#untold.add(nodeId);
    if (this.wakeAt !== Number.POSITIVE_INFINITY) return;
    this.wakeAt = this.#node.now() + RETRY;
    this.#node.soon();
  }

  close(): void {
    this.#stopListening();
    this.directory.clear();
  }
}

/** Milliseconds before a failed announcement to a peer is tried again. */
const RETRY = 1_000;

// The services of the connected peers, as the peers have announced them.

/** A table of nodes and their services, which resolves 'service:<name>' and reports changes. */
export class ServiceDirectory implements Resolver {
  readonly #clock: Clock;
  readonly #services = new Map<string, readonly string[]>();
  /** Functions that report the nodes of a watched service if they have changed. */
  readonly #watches = new Set<() => void>();
  /** True if the watches will be called at the end of this tick. */
  #isChanged = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Enters the services of a peer, which replace its former ones. Ignores entries that are not
   * names and entries beyond the 64th. Without names, the peer is removed.
   */
  set(nodeId: string, said: readonly string[]): void {
    const names = [...new Set(said.slice(0, SERVICES).filter(isServiceName))].sort();
    if (names.join() === this.of(nodeId).join()) return;
    if (names.length === 0) this.#services.delete(nodeId);
    else this.#services.set(nodeId, names);
    this.#changed();
  }

  /** Returns the services of a node, sorted. */
  of(nodeId: string): readonly string[] {
    return this.#services.get(nodeId) ?? NONE;
  }

  /** Returns the ids of the nodes that serve a service, sorted. */
  nodes(service: string): string[] {
    return [...this.#services]
      .filter(([, services]) => services.includes(service))
      .map(([nodeId]) => nodeId)
      .sort();
  }

  clear(): void {
    this.#services.clear();
    this.#changed();
  }

  handles(target: string): boolean {
    return serviceOf(target) !== undefined;
  }

  watch(target: string, observer: ResolutionObserver): () => void {
    const service = serviceOf(target);
    if (service === undefined)
      throw new TransportError(
        'invalid_argument',
        `the target '${target}' names no service; write 'service:' and a name of ${SERVICE_NAME}`,
        { target, sent: false },
      );
    let reported: string | undefined;
    const look = () => {
      const nodes = this.nodes(service);
      const key = nodes.join();
      if ((key === '' && timer !== undefined) || key === reported) return;
      endWait();
      reported = key;
      observer.resolved(nodes.map((nodeId) => ({ address: `node:${nodeId}` })));
    };
    const endWait = () => {
      if (timer !== undefined) this.#clock.clearTimeout(timer);
      timer = undefined;
    };
    // Nodes that have just connected may not have announced their services yet.
    let timer: ClockTimer | undefined = this.#clock.setTimeout(() => {
      timer = undefined;
      look();
    }, PATIENCE);
    this.#watches.add(look);
    this.#changed();
    return () => {
      endWait();
      this.#watches.delete(look);
    };
  }

  /** Reports changes at the end of this tick, so that many changes lead to only one report. */
  #changed(): void {
    if (this.#isChanged || this.#watches.size === 0) return;
    this.#isChanged = true;
    this.#clock.defer(() => {
      this.#isChanged = false;
      for (const look of [...this.#watches]) if (this.#watches.has(look)) look();
    });
  }
}

/** Returns the name in a target 'service:<name>'; undefined for any other target. */
export function serviceOf(target: string): string | undefined {
  if (!target.startsWith('service:')) return undefined;
  const name = target.slice('service:'.length);
  return isServiceName(name) ? name : undefined;
}

/**
 * Milliseconds before the first report may say that no node serves a service: an announcement
 * arrives half a round trip after the peer is up.
 */
const PATIENCE = 1_000;
const NONE: readonly string[] = Object.freeze([]);
