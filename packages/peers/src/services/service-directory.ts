// The services of the connected peers, as the peers have announced them.

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

// The names of services, and the targets 'service:<name>'.

/** Returns true if the text can be the name of a service. */
export function isServiceName(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z][a-z0-9._-]{0,62}$/i.test(value);
}

/** The description of a valid name, for error texts. */
export const SERVICE_NAME: string =
  "1 to 63 letters, digits, '.', '_' and '-', of which the first is a letter";

/** Returns the name in a target 'service:<name>'; undefined for any other target. */
export function serviceOf(target: string): string | undefined {
  if (!target.startsWith('service:')) return undefined;
  const name = target.slice('service:'.length);
  return isServiceName(name) ? name : undefined;
}

/** Checks services that the user gave. @throws TypeError that names the wrong entry. */
export function readServices(given: readonly string[], name: string): readonly string[] {
  if (!Array.isArray(given) || given.length > SERVICES)
    throw new TypeError(`${name}: must be a list of at most ${SERVICES} names of services`);
  for (const [at, service] of given.entries())
    if (!isServiceName(service))
      throw new TypeError(
        `${name}[${at}]: must be ${SERVICE_NAME}, got ${JSON.stringify(service)}`,
      );
  return [...new Set(given)].sort();
}

/** The maximum number of services of one node. */
export const SERVICES = 64;
