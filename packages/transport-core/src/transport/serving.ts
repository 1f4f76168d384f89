// Decides whether this node takes calls to its services, from its drain state and its health.

/** The part of the served health that is used here. */
interface ServedHealth {
  status(service: string): string;
}

/** Combines a transport's drain state with its health, and notifies listeners of changes. */
export class Serving {
  readonly #hasWithdrawn: (service: string) => boolean;
  readonly #listeners = new Set<() => void>();
  #health: ServedHealth | undefined;

  /** @param hasWithdrawn returns true if the transport drains, unless the service goes on. */
  constructor(hasWithdrawn: (service: string) => boolean) {
    this.#hasWithdrawn = hasWithdrawn;
  }

  /** Sets the health that is served; undefined when no health is served anymore. */
  set health(health: ServedHealth | undefined) {
    this.#health = health;
    this.changed();
  }

  /** Returns false if the transport drains, or if the health of the service says so. */
  isServing(service: string): boolean {
    return !this.#hasWithdrawn(service) && this.#health?.status(service) !== 'not_serving';
  }

  /** Calls a function after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    // A wrapper, so that a function that is registered twice is called twice.
    const mine = () => listener();
    this.#listeners.add(mine);
    return () => void this.#listeners.delete(mine);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
