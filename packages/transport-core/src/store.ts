// The interface of storage that survives restarts of a node. A simulation can pass a store that
// loses all data that was not synced. Programs may pass stores of their own. Each of ours has tests
// of its own: file-store.test.ts of peers, store.test.ts of simulation, browser/src/page/store.ts.

/**
 * Stores bytes under names. A store copies the bytes that it is given, and returns bytes that the
 * caller may change. `createMemoryStore()` of the entry `/testing` keeps them in memory.
 * `createFileStore(folder)` of `@trunkline/peers/node` keeps them in files, and
 * `createIndexedDbStore(name)` of `@trunkline/peers/browser` in a browser. Each node of a
 * simulation has a `store` on its own simulated disk.
 */
export interface Store {
  /** Returns the value of a key; undefined if it has none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Sets the value of a key. Later reads return it immediately. A crash before the next `sync` may
   * undo the change, even if later changes to other keys survive, but never leaves a partial value.
   */
  set(key: string, value: Uint8Array): Promise<void>;
  /** Removes a key; a key that does not exist is ignored. As with `set`, a crash may undo it. */
  delete(key: string): Promise<void>;
  /** Returns all keys that have a value. */
  keys(): Promise<string[]>;
  /** Resolves when everything that was set or deleted before is safe from a crash. */
  sync(): Promise<void>;
}

/**
 * Returns a store in memory, whose contents end with the process. Bytes are copied when `set` is
 * called and when they are read.
 */
export function createMemoryStore(): Store {
  const entries = new Map<string, Uint8Array>();
  return {
    get: async (key) => entries.get(key)?.slice(),
    // A copy without `slice`, which returns a view if the value is a Buffer.
    set: async (key, value) => void entries.set(key, new Uint8Array(value)),
    delete: async (key) => void entries.delete(key),
    keys: async () => [...entries.keys()],
    sync: async () => {},
  };
}
