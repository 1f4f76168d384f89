// The port through which an address book is loaded and saved, and its implementation on top of a
// `Store`. The book is kept in two generations, so that one of them is complete whenever the
// machine stops. Tested in address-book-store.test.ts and file-address-book.test.ts.

import { type Store, TransportError } from '@trunkline/transport-core';
import { createMemoryStore } from '@trunkline/transport-core/testing';

/**
 * Keeps one text across restarts, for one user at a time. `createPeers` calls `load` first, then
 * `save` any number of times, then `close`; after that it can be loaded again. Each call begins
 * when the one before has settled, except a `load` by another user.
 */
export interface AddressBookStore {
  /**
   * Loads the text that was saved last and parses it with `read`, which must throw if the text is
   * not a book. `value` is undefined if nothing was saved. `warnings` reports all damage that was
   * found, and how it was handled.
   *
   * Rejects only if the store must not be used at all: with `failed_precondition` while another
   * user has it open, or with another code if its location can never hold a book.
   */
  load<T>(read: (text: string) => T): Promise<{ value: T | undefined; warnings: TransportError[] }>;
  /**
   * Saves a text. Resolves when this text would survive a crash.
   *
   * Rejects with a TransportError (for example `resource_exhausted` for a full disk); the text
   * saved before is then intact. Rejects with `failed_precondition` if the store was not loaded.
   */
  save(text: string): Promise<void>;
  /**
   * Resolves when another user may load the store. If it rejects, `BookKeeper` reports a warning.
   * `BookKeeper` waits five seconds at most for the last `save` and this call together.
   */
  close(): Promise<void>;
}

/**
 * Creates an address book store in memory. Its content lives as long as the object, even after
 * `close`.
 */
export function createMemoryAddressBook(): AddressBookStore {
  return createStoreAddressBook(createMemoryStore());
}

/**
 * Creates an address book store on top of a `Store` (such as that of a simulated node), under the
 * key `key`. The last text but one stays under `key` + '.old', and a text that could not be read is
 * moved to `key` + '.broken'. Only the returned object is limited to one user: two objects, or two
 * processes, that use one key overwrite each other's books.
 */
export function createStoreAddressBook(store: Store, key = 'address-book'): AddressBookStore {
  return new StoredBook(() => ({ store }), key);
}

/** A place for an address book. Files have the operations that a `Store` lacks. */
interface BookPlace {
  readonly store: Store;
  readonly files?: {
    /** Keeps other users out. Rejects with `failed_precondition` while another user is in. */
    open(): Promise<void>;
    /** Renames a key, even if its value cannot be read. */
    move(key: string, to: string): Promise<void>;
    close(): Promise<void>;
  };
}

/** Keeps an address book under a key, for one user at a time. */
export class StoredBook implements AddressBookStore {
  readonly #make: () => BookPlace;
  readonly #key: string;
  /** The place of the book while it is in use. */
  #place: BookPlace | undefined = undefined;
  /** The value under the key, if it could be read. It is saved as '.old' before the next write. */
  #good: Uint8Array | undefined = undefined;

  constructor(make: () => BookPlace, key: string) {
    this.#make = make;
    this.#key = key;
  }

  async load<T>(read: (text: string) => T): Promise<Loaded<T>> {
    if (this.#place !== undefined)
      throw this.#misused('it is in use; close it first, or use another address book');
    const place = this.#make();
    this.#place = place;
    const warnings: TransportError[] = [];
    try {
      await this.#lock(place, warnings);
      return { value: await this.#find(place, read, warnings), warnings };
    } catch (error) {
      await this.close().catch(() => {});
      throw error;
    }
  }

  /**
   * Writes a new generation; a failure leaves the previous one intact. The old one is synced first,
   * because a store may write in any order until it syncs.
   */
  async save(text: string): Promise<void> {
    if (this.#place === undefined) throw this.#misused('it is not open; call load() first');
    const { store } = this.#place;
    const bytes = new TextEncoder().encode(text);
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

  async close(): Promise<void> {
    try {
      await this.#place?.files?.close();
    } finally {
      this.#place = undefined;
      this.#good = undefined;
    }
  }

  /** If the place cannot be locked, the book can be read, and each save tries again to lock. */
  async #lock(place: BookPlace, warnings: TransportError[]): Promise<void> {
    try {
      await place.files?.open();
    } catch (cause) {
      const error = ourError(cause, this.#key);
      if (isFatal(error)) throw error;
      warnings.push(withRemedy(error, 'the book can be read, but not saved until this is fixed'));
    }
  }

  async #find<T>(
    place: BookPlace,
    read: (text: string) => T,
    warnings: TransportError[],
  ): Promise<T | undefined> {
    for (const key of [this.#key, `${this.#key}.old`]) {
      let bytes: Uint8Array | undefined;
      try {
        bytes = await place.store.get(key);
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
        warnings.push(withRemedy(error, await this.#putAside(place, key, bytes)));
      }
    }
    return undefined;
  }

  /** Moves a value that cannot be read to another key, so that nothing is lost. */
  async #putAside(
    { store, files }: BookPlace,
    key: string,
    bytes: Uint8Array | undefined,
  ): Promise<string> {
    if (bytes === undefined && files === undefined) return 'it was not changed';
    const aside = `${key}.broken`;
    try {
      if (files !== undefined) await files.move(key, aside);
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

  #misused(problem: string): TransportError {
    return new TransportError('failed_precondition', `address book: ${this.#key}: ${problem}`);
  }
}

/** The value that was loaded, and the problems that were found. */
interface Loaded<T> {
  value: T | undefined;
  warnings: TransportError[];
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

/**
 * Decodes and parses a text. Throws a TransportError with code `data_loss`, naming the location and
 * the reader's error.
 */
function readText<T>(bytes: Uint8Array, read: (text: string) => T, name: string): T {
  try {
    return read(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new TransportError('data_loss', `address book: ${name}: it is broken: ${problem}`, {
      target: name,
      cause: error,
    });
  }
}

/** Returns the same error with a note on what was done about it. */
function withRemedy(error: TransportError, remedy: string): TransportError {
  return new TransportError(error.code, `${error.message}; ${remedy}`, {
    target: error.target,
    cause: error.cause,
  });
}
