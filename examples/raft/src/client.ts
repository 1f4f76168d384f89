// A client of the key-value store: finds the leader, repeats what got no answer, and so takes effect exactly once.

import { type Transport, TransportError } from '@trunkline/transport-core';
import { type Command, command, OPS, type Result, result } from './kv.ts';
import type { RaftProtocol } from './protocol.ts';

export interface KvClientOptions {
  /** Any transport that reaches the nodes; it need not listen. */
  readonly transport: Transport<RaftProtocol>;
  readonly nodes: readonly string[];
  /** This client's name, unlike that of any other client, past ones included. */
  readonly name: string;
  /** Milliseconds for a command, all its tries together. Default 10,000. */
  readonly timeout?: number | undefined;
}

/** One command at a time; who wants more at once makes more clients. */
export class KvClient {
  readonly #options: KvClientOptions;
  #leader: string;
  #seq = 0;

  constructor(options: KvClientOptions) {
    if (options.nodes.length === 0) throw new TypeError('nodes: must have at least one address');
    this.#options = options;
    this.#leader = options.nodes[0]!;
  }

  /** The value of a key, as of some moment between call and answer (reads go through the log, too); undefined where it is not there. */
  async get(key: string): Promise<string | undefined> {
    const { found, value } = await this.#execute({ op: OPS.get, key, value: '' });
    return found ? value : undefined;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#execute({ op: OPS.set, key, value });
  }

  /** Tells whether the key was there. */
  async delete(key: string): Promise<boolean> {
    return (await this.#execute({ op: OPS.delete, key, value: '' })).found;
  }

  async #execute(asked: Pick<Command, 'op' | 'key' | 'value'>): Promise<Result> {
    const { transport, name, timeout = 10_000 } = this.#options;
    const { clock } = transport;
    const bytes = command.encode({ client: name, seq: ++this.#seq, ...asked });
    const deadline = clock.now() + timeout;
    let hinted = false;
    for (;;) {
      const left = Math.max(1, deadline - clock.now());
      try {
        const answer = result.decode(await transport.send(this.#leader, 'propose', bytes, { timeout: Math.min(left, TRY) }));
        if (answer.error !== '') throw new TransportError('invalid_argument', `the store refused the command: ${answer.error}`);
        return answer;
      } catch (error) {
        if (!(error instanceof TransportError) || !REPEATED.has(error.code)) throw error;
        const told = error.metadata?.leader;
        this.#leader = told !== undefined && told !== this.#leader ? told : this.#another();
        // The first hint is followed at once; two nodes that point at each other are not worth a hurry.
        const pause = told === undefined || hinted ? PAUSE * (0.5 + transport.random()) : 0;
        hinted = told !== undefined;
        if (pause > 0) await clock.sleep(pause);
        if (clock.now() < deadline) continue;
        const message = `no leader answered ${name} within ${timeout} ms; the last said: ${error.message}`;
        throw new TransportError('deadline_exceeded', message, { cause: error, sent: true });
      }
    }
  }

  #another(): string {
    const { nodes } = this.#options;
    return nodes[(nodes.indexOf(this.#leader) + 1) % nodes.length]!;
  }
}

/** What another node, or a later try, may cure. A client's own closed transport says `shutdown`: that does not. */
const REPEATED = new Set<string>(['failed_precondition', 'unavailable', 'deadline_exceeded', 'resource_exhausted']);
/** Milliseconds for one try, and between tries where nobody knows the leader. */
const TRY = 1_000;
const PAUSE = 20;
