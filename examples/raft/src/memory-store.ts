// A Store in memory that outlives its node, though not its process. The demo's nodes return to it.

import type { Store } from '@trunkline/transport-core';

export class MemoryStore implements Store {
  readonly #values = new Map<string, Uint8Array>();

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#values.get(key);
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    this.#values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key);
  }

  async keys(): Promise<string[]> {
    return [...this.#values.keys()];
  }

  async sync(): Promise<void> {}
}
