// Keeps an address book in a `Store`, in two generations, so that one of them is complete whenever
// the machine stops.

import { type Store, TransportError } from '@trunkline/transport-core';
import { type Loaded, readText, withRemedy } from './read-text.ts';

/** A place for an address book. Files have the operations that a `Store` lacks. */
export interface BookPlace {
  readonly store: Store;
  /** Keeps other users out. Rejects with `failed_precondition` while another user is in. */
  lock?(): Promise<void>;
  /** Renames a key, even if its value cannot be read. */
  move?(key: string, to: string): Promise<void>;
  release?(): Promise<void>;
}

/**
 * Loads and saves an address book under a key. It is called by one user at a time: `open`, then
 * `write` any number of times, then `release`.
 */
export class StoreBacking {
  readonly #make: () => BookPlace;
  readonly #key: string;
  #place: BookPlace;
  /** The value under the key, if it could be read. It is saved as '.old' before the next write. */
  #good: Uint8Array | undefined = undefined;

  constructor(make: () => BookPlace, key: string) {
    this.#make = make;
    this.#key = key;
    this.#place = make();
  }

  /** Acquires the place and reads the text. After a failure, the place is not acquired. */
  async open<T>(read: (text: string) => T): Promise<Loaded<T>> {
    const warnings: TransportError[] = [];
    this.#place = this.#make();
    this.#good = undefined;
    try {
      await this.#lock(warnings);
      return { value: await this.#find(read, warnings), warnings };
    } catch (error) {
      await this.release().catch(() => {});
      throw error;
    }
  }

  /** If the place cannot be locked, the book can be read, and each save tries again to lock. */
  async #lock(warnings: TransportError[]): Promise<void> {
    try {
      await this.#place.lock?.();
    } catch (cause) {
      const error = ourError(cause, this.#key);
      if (isFatal(error)) throw error;
      warnings.push(withRemedy(error, 'the book can be read, but not saved until this is fixed'));
    }
  }

  async #find<T>(read: (text: string) => T, warnings: TransportError[]): Promise<T | undefined> {
    for (const key of [this.#key, `${this.#key}.old`]) {
      let bytes: Uint8Array | undefined;
      try {
        bytes = await this.#place.store.get(key);
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
        return value;
      } catch (cause) {
        const error = ourError(cause, key);
        if (isFatal(error)) throw error;
        warnings.push(withRemedy(error, await this.#putAside(key, bytes)));
      }
    }
    return undefined;
  }

  /**
   * Writes a new generation; a failure leaves the previous one intact. The old one is synced first,
   * because a store may write in any order until it syncs.
   */
  async write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    const { store } = this.#place;
    try {
      if (this.#good !== undefined) {
        await store.set(`${this.#key}.old`, this.#good);
        await store.sync();
      }
      await store.set(this.#key, bytes);
      await store.sync();
      this.#good = bytes;
    } catch (error) {
      throw ourError(error, this.#key);
    }
  }

  async release(): Promise<void> {
    this.#good = undefined;
    await this.#place.release?.();
  }

  /** Moves a value that cannot be read to another key, so that nothing is lost. */
  async #putAside(key: string, bytes: Uint8Array | undefined): Promise<string> {
    const { store, move } = this.#place;
    if (bytes === undefined && move === undefined) return 'it was not changed';
    const aside = `${key}.broken`;
    try {
      if (move !== undefined) await move(key, aside);
      else {
        await store.set(aside, bytes!);
        await store.sync();
        await store.delete(key);
        await store.sync();
      }
      return `it was moved to '${aside}'`;
    } catch (error) {
      return `it could not be moved to '${aside}': ${ourError(error, aside).message}`;
    }
  }
}

/** Returns true if the error means that this user can never use the place as it is. */
function isFatal({ code }: TransportError): boolean {
  return code === 'failed_precondition' || code === 'not_found' || code === 'invalid_argument';
}

function ourError(error: unknown, key: string): TransportError {
  if (error instanceof TransportError) return error;
  const problem = error instanceof Error ? error.message : String(error);
  return new TransportError('unavailable', `address book: ${key}: the store failed: ${problem}`, {
    target: key,
    cause: error,
  });
}

// The lifecycle of an address book store: one user at a time, one save at a time, and only the
// newest waiting text is saved.

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
  readonly #backing: StoreBacking;
  readonly #name: string;
  #state: State = { t: 'closed' };

  constructor(backing: StoreBacking, name: string) {
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
