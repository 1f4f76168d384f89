// The part of the browser's IndexedDB that the store uses. It is declared here so that users don't
// need the DOM types.

/** Returns the browser's IndexedDB; undefined if the runtime has none. */
export function nativeIndexedDb(): IndexedDb | undefined {
  return (globalThis as { indexedDB?: IndexedDb }).indexedDB;
}

/** An `IDBFactory`. */
interface IndexedDb {
  open(name: string, version: number): OpenRequest;
}

/** An `IDBRequest`. */
export interface Request {
  readonly result: unknown;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

/** An `IDBOpenDBRequest`. */
interface OpenRequest extends Request {
  onupgradeneeded: (() => void) | null;
}

/** An `IDBDatabase`. */
export interface Database {
  onclose: (() => void) | null;
  onversionchange: (() => void) | null;
  transaction(
    stores: readonly string[],
    mode: 'readonly' | 'readwrite',
    options?: { readonly durability: 'strict' },
  ): Transaction;
  createObjectStore(name: string): ObjectStore;
  close(): void;
}

/** An `IDBTransaction`. */
export interface Transaction {
  readonly error: unknown;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
  objectStore(name: string): ObjectStore;
}

/** An `IDBObjectStore`. */
export interface ObjectStore {
  get(key: string): Request;
  getAllKeys(): Request;
  put(value: Uint8Array, key: string): Request;
  delete(key: string): Request;
}
