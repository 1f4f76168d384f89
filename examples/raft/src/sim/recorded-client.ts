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
  readonly name: string;
  readonly #options: RecordedClientOptions;
  readonly #client: KvClient;
  #commands = 0;
  #stopped = false;

  constructor(options: RecordedClientOptions) {
    this.#options = options;
    this.name = options.name;
    this.#client = new KvClient({ ...options, timeout: TIMEOUT });
  }

  /** The number of successful commands. */
  succeeded = 0;

  /**
   * Executes one command after the other until `stop`; reports each that was not answered in time.
   */
  async work(unanswered: (began: number, error: TransportError) => void): Promise<void> {
    const { clock, random } = this.#options.transport;
    while (!this.#stopped) {
      await clock.sleep(2 * random() * this.#options.pause);
      const began = clock.now();
      const error = await this.#command(random());
      if (error !== undefined) unanswered(began, error);
    }
  }

  /** Stops after the current command. */
  stop(): void {
    this.#stopped = true;
  }

  /** Reads every key once. Rejects if one cannot be read. */
  async readAll(): Promise<void> {
    for (const key of this.#options.keys) {
      const error = await this.#attempt(key, 0);
      if (error !== undefined) throw error;
    }
  }

  #command(chance: number): Promise<TransportError | undefined> {
    const { keys, transport } = this.#options;
    return this.#attempt(keys[Math.floor(transport.random() * keys.length)]!, chance);
  }

  /**
   * Executes one command: half of them read, most others write. Every value is written only once.
   */
  async #attempt(key: string, chance: number): Promise<TransportError | undefined> {
    const { history, name } = this.#options;
    const value = `${name}.${++this.#commands}`;
    const op = chance < READS ? 'get' : chance < WRITES ? 'set' : 'delete';
    const command = op === 'set' ? ({ key, op, value } as const) : ({ key, op } as const);
    const handle = history.call(name, command);
    try {
      const result =
        op === 'get'
          ? await this.#client.get(key)
          : op === 'set'
            ? void (await this.#client.set(key, value))
            : await this.#client.delete(key);
      handle.ok(result as never);
      this.succeeded++;
      return undefined;
    } catch (error) {
      handle.unknown();
      if (error instanceof TransportError) return error;
      throw error;
    }
  }
}

const READS = 0.5;
const WRITES = 0.9;
/** Milliseconds for a command, including all its tries. */
const TIMEOUT = 5_000;
