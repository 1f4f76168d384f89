// What a node keeps across a restart, as a port: a simulation gives one that loses what was not synced.

/**
 * Bytes kept under names. `createMemoryStore()` keeps them as long as the process lives, `createFileStore(folder)` of
 * `@trunkline/peers/node` in files, and each node of a simulation has a `store` on a disk of its own.
 */
export interface Store {
  get(key: string): Promise<Uint8Array | undefined>;
  /** Replaces what was kept. Later reads see it at once; a crash may take it back until a `sync`, and never leaves half of it. */
  set(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  keys(): Promise<string[]>;
  /** Resolves when all that was set or deleted before is safe from a crash. */
  sync(): Promise<void>;
}

/** Returns a store in memory: nothing of it outlives the process. Bytes are copied on their way in and out. */
export function createMemoryStore(): Store {
  const entries = new Map<string, Uint8Array>();
  return {
    get: async (key) => entries.get(key)?.slice(),
    set: async (key, value) => void entries.set(key, value.slice()),
    delete: async (key) => void entries.delete(key),
    keys: async () => [...entries.keys()],
    sync: async () => {},
  };
}
