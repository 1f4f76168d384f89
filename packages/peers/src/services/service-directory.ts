// The services of the connected peers, as the peers have announced them.

import { isServiceName, SERVICES } from './service-name.ts';

/** A table of nodes and their services. */
export class ServiceDirectory {
  readonly #services = new Map<string, readonly string[]>();

  /**
   * Enters the services of a connected peer, which replace its former ones. Ignores entries that
   * are not names and entries beyond the 64th. Returns true if that changes anything.
   */
  heard(nodeId: string, said: readonly string[]): boolean {
    const names = [...new Set(said.slice(0, SERVICES).filter(isServiceName))].sort();
    if (names.join() === this.of(nodeId).join()) return false;
    if (names.length === 0) this.#services.delete(nodeId);
    else this.#services.set(nodeId, names);
    return true;
  }

  /** Removes a node that has left. Returns true if it had services. */
  gone(nodeId: string): boolean {
    return this.#services.delete(nodeId);
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
  }
}

const NONE: readonly string[] = Object.freeze([]);
