// Keeps an address book in a `Store`, in two generations, so that one of them is complete whenever
// the machine stops.

import { type Store, TransportError } from '@trunkline/transport-core';
import type { Backing } from './exclusive-store.ts';
import { type Loaded, readText, withRemedy } from './read-text.ts';

/** Loads and saves an address book under a key of a `Store`. */
export class StoreBacking implements Backing {
  readonly #store: Store;
  readonly #key: string;
  /** The value under the key, if it could be read. It is saved as '.old' before the next write. */
  #good: Uint8Array | undefined = undefined;

  constructor(store: Store, key: string) {
    this.#store = store;
    this.#key = key;
  }

  async open<T>(read: (text: string) => T): Promise<Loaded<T>> {
    const warnings: TransportError[] = [];
    this.#good = undefined;
    for (const key of [this.#key, `${this.#key}.old`]) {
      let bytes: Uint8Array | undefined;
      try {
        bytes = await this.#store.get(key);
        if (bytes === undefined) continue;
        const value = readText(bytes, read, key);
        if (key === this.#key) this.#good = bytes;
        else
          warnings.push(
            new TransportError(
              'data_loss',
              `address book: ${this.#key}: it is missing or broken; '${key}', which was saved before it, is used`,
              { target: key },
            ),
          );
        return { value, warnings };
      } catch (error) {
        warnings.push(withRemedy(ourError(error, key), await this.#putAside(key, bytes)));
      }
    }
    return { value: undefined, warnings };
  }

  /**
   * Writes a new generation. The old one is synced first, because a store may write in any order
   * until it syncs.
   */
  async write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    try {
      if (this.#good !== undefined) {
        await this.#store.set(`${this.#key}.old`, this.#good);
        await this.#store.sync();
      }
      await this.#store.set(this.#key, bytes);
      await this.#store.sync();
      this.#good = bytes;
    } catch (error) {
      throw ourError(error, this.#key);
    }
  }

  async release(): Promise<void> {
    this.#good = undefined;
  }

  /** Moves a value that cannot be read to another key, so that nothing is lost. */
  async #putAside(key: string, bytes: Uint8Array | undefined): Promise<string> {
    if (bytes === undefined) return 'it was not changed';
    const aside = `${key}.broken`;
    try {
      await this.#store.set(aside, bytes);
      await this.#store.sync();
      await this.#store.delete(key);
      await this.#store.sync();
      return `it was moved to '${aside}'`;
    } catch (error) {
      return `it could not be moved to '${aside}': ${ourError(error, aside).message}`;
    }
  }
}

function ourError(error: unknown, key: string): TransportError {
  if (error instanceof TransportError) return error;
  const problem = error instanceof Error ? error.message : String(error);
  return new TransportError('unavailable', `address book: ${key}: the store failed: ${problem}`, {
    target: key,
    cause: error,
  });
}
