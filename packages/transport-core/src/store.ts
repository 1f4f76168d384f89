// What a node keeps across a restart, as a port: a simulation gives one that loses what was not synced.

/** Durable bytes by name. */
export interface Store {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  keys(): Promise<string[]>;
  /** Resolves when all that was set or deleted before is safe from a crash. */
  sync(): Promise<void>;
}
