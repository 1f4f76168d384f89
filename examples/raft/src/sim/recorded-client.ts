// A client that executes commands one by one, and records its requests and their results.

import type { check } from '@trunkline/simulation';
import { type Transport, TransportError } from '@trunkline/transport-core';
import { KvClient } from '../client.ts';
import type { RaftProtocol } from '../protocol.ts';

export interface RecordedClientOptions {
  readonly transport: Transport<RaftProtocol>;
  readonly nodes: readonly string[];
  readonly name: string;
  readonly keys: readonly string[];
  readonly history: check.History;
  /** Mean milliseconds between two commands. */
  readonly pause: number;
}

export class RecordedClient {
  readonly #options: RecordedClientOptions;
  readonly #client: KvClient;
  #commands = 0;
  #stopped = false;

  constructor(options: RecordedClientOptions) {
    this.#options = options;
    this.#client = new KvClient({ ...options, timeout: TIMEOUT });
  }

  /**
   * Executes one command after the other until `stop`; reports each that was not answered in time.
   * Half of them read, most others write.
   */
  async work(unanswered: (began: number, error: TransportError) => void): Promise<void> {
    const { keys, pause, transport } = this.#options;
    const { clock, random } = transport;
    while (!this.#stopped) {
      await clock.sleep(2 * random() * pause);
      const began = clock.now();
      const chance = random();
      const op = chance < 0.5 ? 'get' : chance < 0.9 ? 'set' : 'delete';
      const error = await this.#attempt(keys[Math.floor(random() * keys.length)]!, op);
      if (error !== undefined) unanswered(began, error);
    }
  }

  /** Stops after the current command. */
  stop(): void {
    this.#stopped = true;
  }

  /** Reads every key. Rejects if one cannot be read; `insist` reads it as often as it takes. */
  async readAll({ insist = false } = {}): Promise<void> {
    for (const key of this.#options.keys)
      for (let error = await this.#attempt(key, 'get'); error !== undefined; )
        if (insist) error = await this.#attempt(key, 'get');
        else throw error;
  }

  /** Executes one command. Every value is written only once. */
  async #attempt(key: string, op: 'get' | 'set' | 'delete'): Promise<TransportError | undefined> {
    const { history, name } = this.#options;
    const value = `${name}.${++this.#commands}`;
    const handle = history.call(name, op === 'set' ? { key, op, value } : { key, op });
    try {
      const result = await (op === 'set' ? this.#client.set(key, value) : this.#client[op](key));
      handle.ok(result as never);
      return undefined;
    } catch (error) {
      handle.unknown();
      if (error instanceof TransportError) return error;
      throw error;
    }
  }
}

/** Milliseconds for a command, including all its tries. */
const TIMEOUT = 5_000;
