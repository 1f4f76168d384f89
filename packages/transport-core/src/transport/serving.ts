// Whether this node takes calls of its services, as drain and health say.

/** The transport, as far as it matters here. */
interface ServingTransport {
  readonly isDraining: boolean;
}

/** The health that is served, as far as it matters here. */
interface ServedHealth {
  status(service: string): string;
}

/** Joins the drain of a transport with its health, and tells listeners of changes. */
export class Serving {
  readonly #transport: ServingTransport;
  readonly #listeners = new Set<() => void>();
  #health: ServedHealth | undefined;

  constructor(transport: ServingTransport) {
    this.#transport = transport;
  }

  /** Sets the health that is served; undefined when it ends. */
  set health(health: ServedHealth | undefined) {
    this.#health = health;
    this.changed();
  }

  /** Returns false while the transport drains, or if the health of the service says so. */
  isServing(service: string): boolean {
    return !this.#transport.isDraining && this.#health?.status(service) !== 'not_serving';
  }

  /** Calls a function after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    // A copy, so that one function that is given twice is called twice.
    const mine = () => listener();
    this.#listeners.add(mine);
    return () => void this.#listeners.delete(mine);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
