// Asks DNS servers one after another until one of them answers.

import { type Clock, type Random, TransportError } from '@trunkline/transport-core';
import { inMs, reasonError } from '@trunkline/transport-core/backend';
import { type Answer, ask, type QuestionType } from './dns-query.ts';
import type { DnsExchange, DnsServer } from './dns-server.ts';

/** Options of `DnsClient`. */
export interface DnsClientOptions {
  /** Returns the servers to ask, in order. */
  servers(): readonly DnsServer[];
  /** Time within which a server must answer, in milliseconds. */
  readonly timeout: number;
  /** The number of times that each server is asked. */
  readonly attempts: number;
  /** Default: UDP and TCP. */
  readonly exchange: DnsExchange | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** Answers questions by asking servers. */
export class DnsClient {
  readonly #options: DnsClientOptions;
  /**
   * The servers that answered FORMERR or NOTIMP when a question used EDNS. They are asked without
   * EDNS.
   */
  readonly #plain = new Set<string>();

  constructor(options: DnsClientOptions) {
    this.#options = options;
  }

  /**
   * Returns the records of a name (see `Question.name`); undefined if the name does not exist.
   * Rejects with `unavailable` (reason `host_not_found`) if no server has answered without an
   * error, or with the signal's reason if the signal aborts.
   */
  async ask(name: string, type: QuestionType, signal: AbortSignal): Promise<Answer | undefined> {
    const { attempts } = this.#options;
    const servers = this.#options.servers();
    let failure = 'no DNS server is configured';
    let cause: unknown;
    for (let attempt = 0; attempt < attempts; attempt++)
      for (const server of servers) {
        signal.throwIfAborted();
        try {
          const answer = await this.#askOne(server, name, type, signal);
          if (answer.code === NO_SUCH_NAME) return undefined;
          if (answer.code === 0) return answer;
          failure = `the server ${shown(server)} answered ${CODES[answer.code] ?? answer.code}`;
        } catch (error) {
          signal.throwIfAborted();
          cause = error;
          failure = `the server ${shown(server)}: ${error instanceof Error ? error.message : error}`;
        }
      }
    throw reasonError('host_not_found', `DNS: cannot look up ${type} of '${name}': ${failure}`, {
      target: name,
      sent: false,
      cause,
    });
  }

  /** Asks one server. If the server does not support EDNS, asks once more without it. */
  async #askOne(
    server: DnsServer,
    name: string,
    type: QuestionType,
    signal: AbortSignal,
  ): Promise<Answer> {
    const edns = !this.#plain.has(shown(server));
    const answer = await this.#timed(server, name, type, edns, signal);
    if (!edns || (answer.code !== FORMAT_ERROR && answer.code !== NOT_IMPLEMENTED)) return answer;
    if (this.#plain.size >= PLAIN) this.#plain.clear();
    this.#plain.add(shown(server));
    return this.#timed(server, name, type, false, signal);
  }

  async #timed(
    server: DnsServer,
    name: string,
    type: QuestionType,
    edns: boolean,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { clock, random, timeout, exchange } = this.#options;
    const late = new AbortController();
    const timer = clock.setTimeout(
      () =>
        late.abort(
          new TransportError('deadline_exceeded', `it did not answer within ${inMs(timeout)}`),
        ),
      timeout,
    );
    try {
      const id = Math.floor(random() * 0x1_0000);
      const either = AbortSignal.any([signal, late.signal]);
      return await ask(server, { name, type, id, edns }, either, exchange);
    } finally {
      clock.clearTimeout(timer);
    }
  }
}

function shown({ host, port }: DnsServer): string {
  return `${host}#${port}`;
}

/** Response codes (RFC 1035). */
const FORMAT_ERROR = 1;
const NO_SUCH_NAME = 3;
const NOT_IMPLEMENTED = 4;
const CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
/** Maximum number of servers without EDNS that are remembered. */
const PLAIN = 64;
