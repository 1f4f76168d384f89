// Clients that execute commands one by one, and a history of their requests and results.

import { check, type Simulation } from '@trunkline/simulation';
import { type Transport, TransportError } from '@trunkline/transport-core';
import { KvClient } from '../client.ts';
import { type RaftProtocol, raftProtocol } from '../messages.ts';

export interface RecordedClientsOptions {
  readonly count: number;
  readonly nodes: readonly string[];
  readonly keys: readonly string[];
  /** Mean milliseconds between two commands of a client. */
  readonly pause: number;
  /** Called with each command that was not answered in time, and the time when it began. */
  readonly onUnanswered?: ((error: TransportError, began: number) => void) | undefined;
}

export class RecordedClients {
  readonly #sim: Simulation;
  readonly #options: RecordedClientsOptions;
  readonly #history: check.History;
  readonly #clients: readonly Client[];
  #work: Promise<unknown> | undefined;
  #stopped = false;
  #unanswered = 0;

  constructor(sim: Simulation, options: RecordedClientsOptions) {
    this.#sim = sim;
    this.#options = options;
    this.#history = check.createHistory(sim);
    this.#clients = Array.from({ length: options.count }, (_, i) => {
      const name = `c${i + 1}`;
      const transport = sim.client(raftProtocol, { name });
      const kv = new KvClient({ transport, nodes: options.nodes, name, timeout: TIMEOUT });
      return { name, transport, kv };
    });
  }

  /** The number of commands so far, and of those that were not answered in time. */
  get figures(): { readonly commands: number; readonly unanswered: number } {
    return { commands: this.#history.operations.length, unanswered: this.#unanswered };
  }

  /** Lets each client execute one command after the other. Half of them read, most others write. */
  start(): void {
    this.#work = Promise.all(this.#clients.map((client) => this.#keepWorking(client)));
  }

  /**
   * Stops the clients after their current commands, and lets each of them read every key. Rejects
   * if one of both takes longer than `patience` milliseconds.
   */
  async finish(patience: number): Promise<void> {
    this.#stopped = true;
    await this.#sim.settle(this.#work!, patience);
    const reads = this.#clients.map((client) => this.#readAll(client));
    await this.#sim.settle(Promise.all(reads), patience);
  }

  /** Throws if the history is not linearizable. */
  check(): void {
    const verdict = check.linearizable(this.#history);
    if (verdict.linearizable === true) return;
    const summary = verdict.text.trimEnd().split('\n').at(-1);
    throw named('linearizable', `${summary}\n${verdict.text}`, verdict);
  }

  async #keepWorking(client: Client): Promise<void> {
    const { keys, pause } = this.#options;
    const { clock, random } = client.transport;
    while (!this.#stopped) {
      await clock.sleep(2 * random() * pause);
      const chance = random();
      const op = chance < 0.5 ? 'get' : chance < 0.9 ? 'set' : 'delete';
      await this.#attempt(client, keys[Math.floor(random() * keys.length)]!, op);
    }
  }

  async #readAll(client: Client): Promise<void> {
    for (const key of this.#options.keys) while (!(await this.#attempt(client, key, 'get')));
  }

  /** Executes one command, and returns whether it was answered. No value is written twice. */
  async #attempt(client: Client, key: string, op: 'get' | 'set' | 'delete'): Promise<boolean> {
    const { name, kv, transport } = client;
    const began = transport.clock.now();
    const value = `${name}.${this.#history.operations.length}`;
    const handle = this.#history.call(name, op === 'set' ? { key, op, value } : { key, op });
    try {
      const result = await (op === 'set' ? kv.set(key, value) : kv[op](key));
      handle.ok(result as never);
      return true;
    } catch (error) {
      handle.unknown();
      if (!(error instanceof TransportError)) throw error;
      this.#unanswered++;
      this.#options.onUnanswered?.(error, began);
      return false;
    }
  }
}

interface Client {
  readonly name: string;
  readonly transport: Transport<RaftProtocol>;
  readonly kv: KvClient;
}

/**
 * Creates an error whose name is the property, because shrinking treats errors of different names
 * as different failures.
 */
export function named(property: string, what: string, cause?: object): Error {
  return Object.assign(new Error(`${property}: ${what}`, { cause }), { name: property });
}

/** Milliseconds for a command, including all its tries. */
const TIMEOUT = 5_000;
