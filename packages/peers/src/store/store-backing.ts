// Keeps an address book in a `Store`, in two generations, so that one of them is complete whenever
// the machine stops.

import { type Store, TransportError } from '@trunkline/transport-core';
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

// The lifecycle that all address book stores share: one user at a time, one save at a time, and
// only the newest waiting text is saved. A `Backing` stores the text.

/**
 * The operations that each kind of store implements. They are called one at a time: `open`, then
 * `write` any number of times, then `release`.
 */
export interface Backing {
  /** Acquires the storage and reads the text. After a failure, the storage is not acquired. */
  open<T>(read: (text: string) => T): Promise<Loaded<T>>;
  /** Replaces the text. A failure leaves the previous text intact. */
  write(text: string): Promise<void>;
  /** Releases the storage, so that others may open it. */
  release(): Promise<void>;
}

/** The phases of a store. A closed store may be loaded again. */
type State =
  | { readonly t: 'closed' }
  | { readonly t: 'loading'; readonly done: Promise<unknown> }
  | { readonly t: 'open'; readonly queue: SaveQueue }
  | { readonly t: 'closing'; readonly done: Promise<void> };

/**
 * Implements `AddressBookStore`, but does not import it because that would be a circular import.
 */
export class ExclusiveStore {
  readonly #backing: Backing;
  readonly #name: string;
  #state: State = { t: 'closed' };

  constructor(backing: Backing, name: string) {
    this.#backing = backing;
    this.#name = name;
  }

  load<T>(read: (text: string) => T): Promise<Loaded<T>> {
    if (this.#state.t !== 'closed')
      return Promise.reject(
        this.#misused('it is in use; close it first, or use another address book'),
      );
    const done = this.#load(read);
    this.#state = { t: 'loading', done };
    return done;
  }

  save(text: string): Promise<void> {
    if (this.#state.t !== 'open')
      return Promise.reject(this.#misused('it is not open; call load() first'));
    return this.#state.queue.save(text);
  }

  async close(): Promise<void> {
    if (this.#state.t === 'loading') await this.#state.done.catch(() => {});
    if (this.#state.t === 'open')
      this.#state = { t: 'closing', done: this.#close(this.#state.queue) };
    if (this.#state.t === 'closing') await this.#state.done;
  }

  async #load<T>(read: (text: string) => T): Promise<Loaded<T>> {
    try {
      const loaded = await this.#backing.open(read);
      this.#state = { t: 'open', queue: new SaveQueue((text) => this.#backing.write(text)) };
      return loaded;
    } catch (error) {
      this.#state = { t: 'closed' };
      throw error;
    }
  }

  async #close(queue: SaveQueue): Promise<void> {
    try {
      await queue.idle();
      await this.#backing.release();
    } finally {
      this.#state = { t: 'closed' };
    }
  }

  #misused(problem: string): TransportError {
    return new TransportError('failed_precondition', `address book: ${this.#name}: ${problem}`);
  }
}

/**
 * Runs one save at a time. If several wait, only the newest text is saved, and the older saves
 * settle with it.
 */
class SaveQueue {
  readonly #write: (text: string) => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined = undefined;
  #newest = '';

  constructor(write: (text: string) => Promise<void>) {
    this.#write = write;
  }

  save(text: string): Promise<void> {
    this.#newest = text;
    return (this.#waiting ??= this.#next());
  }

  /** Resolves when no save is in progress, regardless of the saves' success. */
  async idle(): Promise<void> {
    await (this.#waiting ?? this.#running).catch(() => {});
  }

  async #next(): Promise<void> {
    await this.#running.catch(() => {});
    this.#waiting = undefined;
    this.#running = this.#write(this.#newest);
    return this.#running;
  }
}
