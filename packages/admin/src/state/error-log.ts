// The last errors of a node. Errors with the same kind, place, code and text are counted together,
// so that a flood of one error does not hide the others.

import {
  type CallRecord,
  type ErrorCode,
  type Remote,
  TransportError,
} from '@trunkline/transport-core';
import { cleanText } from '@trunkline/transport-core/backend';
import { sourceOf } from '@trunkline/transport-core/internal';
import type { NodeErrorRecord } from './node-state.ts';

type Mutable = { -readonly [K in keyof NodeErrorRecord]: NodeErrorRecord[K] };

/** The last 100 errors that differ. */
export class ErrorLog {
  /** The records, by a key made of their properties. The last entry is the most recent error. */
  readonly #records = new Map<string, { number: number; record: Mutable }>();
  #number = 0;

  /** Adds the error of a call, made here or handled here, unless its caller canceled it. */
  addCall(call: CallRecord): void {
    if (call.error === undefined || call.code === 'cancelled') return;
    const what = call.side === 'client' ? 'call' : 'handler';
    this.add(call.startedAt + call.duration, what, `${call.protocol}/${call.method}`, call.error);
  }

  /**
   * Adds the error of a connection. Accepted connections are named by their source: each has
   * another port, so a flood of one source would otherwise fill the log.
   */
  addConnection(
    at: number,
    what: string,
    { endpoint, direction }: Pick<Remote, 'endpoint' | 'direction'>,
    error: TransportError,
  ): void {
    const where = direction === 'in' ? sourceOf(endpoint) : endpoint;
    this.add(at, what, where, error, error.message.replaceAll(endpoint, where));
  }

  /**
   * Adds an error. `at` is the time on the node's clock in milliseconds, and `message` replaces the
   * error's own.
   */
  add(at: number, what: string, where: string, error: unknown, message?: string): void {
    const code: ErrorCode | 'unknown' = error instanceof TransportError ? error.code : 'unknown';
    const text = shorten(message ?? (error instanceof Error ? error.message : String(error)));
    const key = `${what}\n${where}\n${code}\n${text}`;
    const known = this.#records.get(key);
    if (known !== undefined) {
      known.record.at = at;
      known.record.count++;
      this.#records.delete(key);
      this.#records.set(key, known);
      return;
    }
    const reason = error instanceof TransportError ? error.reason : undefined;
    const record: Mutable = { at, count: 1, what, where: shorten(where), code, reason, text };
    this.#records.set(key, { number: ++this.#number, record });
    if (this.#records.size <= MOST) return;
    const [oldest] = this.#records.keys();
    this.#records.delete(oldest!);
  }

  /** Returns the errors by number. */
  state(): Record<string, NodeErrorRecord> {
    return Object.fromEntries(
      [...this.#records.values()].map(({ number, record }) => [String(number), { ...record }]),
    );
  }
}

/** Cleans and cuts a text, because it may come from a peer. */
export function shorten(text: string): string {
  const clean = cleanText(text);
  return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}…` : clean;
}

const MOST = 100;
/** Maximum length of a text in characters. */
const LONGEST = 300;
