// A client of the key-value store. It finds the leader and repeats commands that got no answer;
// each still takes effect exactly once.

import { type Transport, TransportError } from '@trunkline/transport-core';
import { type Command, command, OPS, type Result, result } from './kv.ts';
import type { RaftProtocol } from './messages.ts';

export interface KvClientOptions {
  /** Any transport that reaches the nodes; it need not listen. */
  readonly transport: Transport<RaftProtocol>;
  readonly nodes: readonly string[];
  /** The name of this client, different from that of any other client, past ones included. */
  readonly name: string;
  /** Milliseconds for a command, including all its tries. Default: 10,000. */
  readonly timeout?: number | undefined;
}

/** Executes one command after the other; create more clients to run commands concurrently. */
export class KvClient {
  readonly #options: KvClientOptions;
  #leader: string;
  #seq = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: KvClientOptions) {
    if (options.nodes.length === 0) throw new TypeError('nodes: must have at least one address');
    this.#options = options;
    this.#leader = options.nodes[0]!;
  }

  /**
   * Returns the value of a key, as of some moment between call and answer (reads go through the
   * log, too), or undefined if the key does not exist.
   */
  async get(key: string): Promise<string | undefined> {
    const { found, value } = await this.#execute({ op: OPS.get, key, value: '' });
    return found ? value : undefined;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#execute({ op: OPS.set, key, value });
  }

  /** Deletes a key. Resolves with whether it existed. */
  async delete(key: string): Promise<boolean> {
    return (await this.#execute({ op: OPS.delete, key, value: '' })).found;
  }

  #execute(asked: Pick<Command, 'op' | 'key' | 'value'>): Promise<Result> {
    const next = this.#last.then(() => this.#attempt(asked));
    this.#last = next.catch(() => {});
    return next;
  }

  async #attempt(asked: Pick<Command, 'op' | 'key' | 'value'>): Promise<Result> {
    const { transport, name, timeout = 10_000 } = this.#options;
    const { clock } = transport;
    const bytes = command.encode({ client: name, seq: ++this.#seq, ...asked });
    const end = clock.now() + timeout;
    let hinted = false;
    for (;;) {
      const limit = Math.max(1, Math.min(end - clock.now(), TRY));
      try {
        const answer = result.decode(
          await transport.send(this.#leader, 'propose', bytes, { timeout: limit }),
        );
        if (answer.error !== '')
          throw new TransportError('invalid_argument', `refused by the store: ${answer.error}`);
        return answer;
      } catch (error) {
        if (!(error instanceof TransportError) || !REPEATED.has(error.code)) throw error;
        const told = error.metadata?.leader;
        this.#leader = told !== undefined && told !== this.#leader ? told : this.#another();
        // The first hint is followed at once. After that there is a pause, because two nodes may
        // point at each other.
        if (told === undefined || hinted) await clock.sleep(PAUSE * (0.5 + transport.random()));
        hinted = told !== undefined;
        if (clock.now() < end) continue;
        const message = `no leader answered ${name} within ${timeout} ms; the last error: ${error.message}`;
        throw new TransportError('deadline_exceeded', message, { cause: error, sent: true });
      }
    }
  }

  #another(): string {
    const { nodes } = this.#options;
    return nodes[(nodes.indexOf(this.#leader) + 1) % nodes.length]!;
  }
}

/**
 * The error codes that another node, or a later try, may fix. The client's own closed transport
 * fails with `shutdown`, which is not one of them.
 */
const REPEATED = new Set<string>([
  'failed_precondition',
  'unavailable',
  'deadline_exceeded',
  'resource_exhausted',
]);
/** Milliseconds for one try, and between tries while nobody knows the leader. */
const TRY = 1_000;
const PAUSE = 20;
