// The nodes that are registered at a hub, by realm and node id and by connection, within its
// limits. The newest registration of a node replaces an older one.

import { type Remote, TransportError } from '@trunkline/transport-core';
import type { SignalHubConfig } from './hub-options.ts';
import type { Sources } from './sources.ts';

/** One registered node. */
export interface Registration {
  readonly realm: string;
  readonly nodeId: string;
  readonly remote: Remote;
  readonly source: string;
  /** True if the node accepts sessions. */
  isAccepting: boolean;
  /** Ends the registration with an error that the node receives. */
  end(error: TransportError): void;
}

/** The registered nodes of a hub. */
export class Registry {
  readonly #limits: SignalHubConfig['limits'];
  readonly #sources: Sources;
  readonly #realms = new Map<string, Map<string, Registration>>();
  readonly #byRemote = new Map<Remote, Registration>();

  constructor(limits: SignalHubConfig['limits'], sources: Sources) {
    this.#limits = limits;
    this.#sources = sources;
  }

  get size(): number {
    return this.#byRemote.size;
  }

  /** Returns the number of nodes in each realm. */
  realms(): { name: string; nodes: number }[] {
    return Array.from(this.#realms, ([name, nodes]) => ({ name, nodes: nodes.size }));
  }

  /**
   * Registers a node and ends its older registration. Throws `failed_precondition` if the
   * connection has registered already, and `resource_exhausted` above a limit; the older
   * registration has ended even then.
   */
  add(registration: Registration): void {
    const { realm: name, nodeId, remote, source } = registration;
    if (this.#byRemote.has(remote))
      throw new TransportError('failed_precondition', 'register: this connection has registered');
    const older = this.#realms.get(name)?.get(nodeId);
    if (older !== undefined) {
      this.remove(older);
      older.end(
        new TransportError('already_exists', 'this node has registered over a newer connection'),
      );
    }
    this.#checkRoom(name);
    this.#sources.enter(source);
    const realm = this.#realms.get(name) ?? new Map<string, Registration>();
    this.#realms.set(name, realm.set(nodeId, registration));
    this.#byRemote.set(remote, registration);
  }

  /** Removes a registration; does nothing if it has been removed or replaced. */
  remove(registration: Registration): void {
    const { realm: name, nodeId, remote, source } = registration;
    if (this.#byRemote.get(remote) !== registration) return;
    this.#byRemote.delete(remote);
    this.#sources.leave(source);
    const realm = this.#realms.get(name)!;
    realm.delete(nodeId);
    if (realm.size === 0) this.#realms.delete(name);
  }

  /** Returns the registration of a connection; throws `failed_precondition` if there is none. */
  of(remote: Remote): Registration {
    const registration = this.#byRemote.get(remote);
    if (registration === undefined)
      throw new TransportError(
        'failed_precondition',
        'this connection has not registered: call register first',
      );
    return registration;
  }

  /** Returns the node of a realm that accepts sessions; throws `not_found` if there is none. */
  accepting(realm: string, nodeId: string): Registration {
    const registration = this.#realms.get(realm)?.get(nodeId);
    if (!registration?.isAccepting)
      throw new TransportError(
        'not_found',
        `no node '${nodeId}' accepts sessions in realm '${realm}'`,
      );
    return registration;
  }

  #checkRoom(name: string): void {
    const { realms, nodes, nodesPerRealm = nodes } = this.#limits;
    const realm = this.#realms.get(name);
    if (this.size >= nodes || (realm?.size ?? 0) >= nodesPerRealm)
      throw new TransportError('resource_exhausted', `register: realm '${name}' is full`);
    if (realm === undefined && this.#realms.size >= realms)
      throw new TransportError(
        'resource_exhausted',
        `register: this hub has ${realms} realms already`,
      );
  }
}
