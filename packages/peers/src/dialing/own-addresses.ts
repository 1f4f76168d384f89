// Addresses at which this node dialed itself.

/**
 * A set of at most 1,024 addresses; after that, the oldest is forgotten and may be dialed again.
 */
export class OwnAddresses {
  readonly #keys = new Set<string>();

  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size > MOST) this.#keys.delete(this.#keys.keys().next().value!);
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }
}

const MOST = 1_024;
