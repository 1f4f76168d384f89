// Creates a `Store` in IndexedDB, for pages and workers. Each key is a record of one object store.
// Tested in a browser, by browser/src/page/store.ts.

import { type Store, TransportError } from '@trunkline/transport-core';
import {
  type Database,
  nativeIndexedDb,
  type ObjectStore,
  type Request,
  type Transaction,
} from './native-indexed-db.ts';

/** A store in IndexedDB. */
export interface IndexedDbStore extends Store, AsyncDisposable {
  /**
   * Resolves when all changes are saved and the database is closed. Later operations reject with
   * `shutdown`. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * Returns a store that keeps its keys in the IndexedDB database of this name in the page's origin.
 * A change is always either complete or absent, even if the browser or the machine stops. `set`
 * resolves when the change is durable.
 *
 * The pages of an origin that use the same name share the contents: the last change of a key wins.
 * Browsers may delete a database to free space unless `navigator.storage.persist()` was granted.
 * Operations reject with these codes:
 * - `unimplemented`: this runtime has no IndexedDB.
 * - `permission_denied`: the browser does not allow it here, for example in a sandboxed frame.
 * - `resource_exhausted`: the origin's quota is full, or the value exceeds 64 MiB.
 * - `failed_precondition`: another program uses a database of this name in another format.
 * - `data_loss`: the browser could not read or write the database.
 * - `shutdown`: the store was closed.
 *
 * After a failure the previous content is intact, and the operation can be retried. Throws a
 * TypeError if `name` is not a string of at least one character.
 */
export function createIndexedDbStore(name: string): IndexedDbStore {
  if (typeof name !== 'string' || name === '')
    throw new TypeError(
      `createIndexedDbStore: name: must be the name of a database, got ${typeof name === 'string' ? "''" : typeof name}`,
    );
  return new DatabaseStore(name);
}

class DatabaseStore implements IndexedDbStore {
  readonly #name: string;
  #opening: Promise<Database> | undefined;
  #closing: Promise<void> | undefined;
  /** Changes that are not durable yet. */
  readonly #pending = new Set<Promise<void>>();

  constructor(name: string) {
    this.#name = name;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const value = await this.#read((entries) => entries.get(key));
    return value === undefined ? undefined : (value as Uint8Array);
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    if (value.length > LARGEST)
      throw new TransportError(
        'resource_exhausted',
        `${this.#label}: '${key}' has ${value.length} bytes, but a value may have at most ${LARGEST}`,
      );
    const bytes = new Uint8Array(value); // The caller may change its bytes before the write.
    await this.#change((entries) => entries.put(bytes, key));
  }

  async delete(key: string): Promise<void> {
    await this.#change((entries) => entries.delete(key));
  }

  async keys(): Promise<string[]> {
    return (await this.#read((entries) => entries.getAllKeys())) as string[];
  }

  async sync(): Promise<void> {
    this.#checkOpen();
    await Promise.all(this.#pending);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #label(): string {
    return `store: IndexedDB '${this.#name}'`;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    const database = await this.#opening?.catch(() => undefined);
    database?.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined)
      throw new TransportError('shutdown', `${this.#label}: it was closed`);
  }

  async #read(ask: (entries: ObjectStore) => Request): Promise<unknown> {
    this.#checkOpen();
    const database = await this.#open();
    try {
      return await settled(ask(database.transaction([ENTRIES], 'readonly').objectStore(ENTRIES)));
    } catch (error) {
      throw this.#error(error);
    }
  }

  #change(make: (entries: ObjectStore) => Request): Promise<void> {
    const change = this.#write(make).finally(() => this.#pending.delete(change));
    this.#pending.add(change);
    return change;
  }

  async #write(make: (entries: ObjectStore) => Request): Promise<void> {
    this.#checkOpen();
    const database = await this.#open();
    try {
      // With strict durability, the transaction completes only when its changes survive a stop of
      // the machine.
      const transaction = database.transaction([ENTRIES], 'readwrite', { durability: 'strict' });
      make(transaction.objectStore(ENTRIES));
      await completed(transaction);
    } catch (error) {
      throw this.#error(error);
    }
  }

  /**
   * Opens the database. After a failure, or if the browser closes it, the next call tries again.
   */
  #open(): Promise<Database> {
    this.#opening ??= this.#opened().catch((error) => {
      this.#opening = undefined;
      throw this.#error(error);
    });
    return this.#opening;
  }

  async #opened(): Promise<Database> {
    const indexedDb = nativeIndexedDb();
    if (indexedDb === undefined)
      throw new TransportError(
        'unimplemented',
        `${this.#label}: this runtime has no IndexedDB; in Node, use createFileStore of @trunkline/peers/node`,
      );
    const request = indexedDb.open(this.#name, VERSION);
    request.onupgradeneeded = () => (request.result as Database).createObjectStore(ENTRIES);
    const database = (await settled(request)) as Database;
    const forget = () => {
      database.close();
      this.#opening = undefined;
    };
    database.onclose = forget; // The user has deleted the data of the site.
    database.onversionchange = forget; // A page deletes the database, and would wait for this one.
    return database;
  }

  #error(error: unknown): TransportError {
    if (error instanceof TransportError) return error;
    const { name = '', message = String(error) } = (error ?? {}) as Partial<Error>;
    const code =
      name === 'QuotaExceededError'
        ? 'resource_exhausted'
        : name === 'SecurityError' || name === 'NotAllowedError'
          ? 'permission_denied'
          : name === 'VersionError' || name === 'NotFoundError'
            ? 'failed_precondition'
            : 'data_loss';
    return new TransportError(code, `${this.#label}: ${name}: ${message}`, { cause: error });
  }
}

function settled(request: Request): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function completed(transaction: Transaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

/** The name of the object store. */
const ENTRIES = 'entries';
const VERSION = 1;
/** Maximum size of a value in bytes: 64 MiB. */
const LARGEST = 67_108_864;
