// Accepted connections whose hello is not through: so many at a time, more wait unread, yet more are closed (limits.handshakes).

import type { Connection } from './connection.ts';

export type Verdict = 'enter' | 'wait' | 'refuse';

export class Doorway {
  readonly #pending: number;
  readonly #perSource: number;
  readonly #inside = new Set<Connection>();
  readonly #waiting = new Set<Connection>();
  readonly #sources = new Map<string, number>();

  constructor(limits: { readonly pending: number; readonly perSource?: number | undefined }) {
    this.#pending = limits.pending;
    this.#perSource = limits.perSource ?? Number.POSITIVE_INFINITY;
  }

  /** What becomes of a connection from this endpoint. */
  knock(endpoint: string): Verdict {
    if ((this.#sources.get(sourceOf(endpoint)) ?? 0) >= this.#perSource) return 'refuse';
    if (this.#inside.size < this.#pending) return 'enter';
    return this.#waiting.size < this.#pending * QUEUE ? 'wait' : 'refuse';
  }

  enter(connection: Connection, verdict: Verdict): void {
    (verdict === 'enter' ? this.#inside : this.#waiting).add(connection);
    const source = sourceOf(connection.endpoint);
    this.#sources.set(source, (this.#sources.get(source) ?? 0) + 1);
  }

  /** Its hello is through, or it is over: the next one is read. */
  leave(connection: Connection): void {
    const inside = this.#inside.delete(connection);
    if (!inside && !this.#waiting.delete(connection)) return;
    const source = sourceOf(connection.endpoint);
    const left = (this.#sources.get(source) ?? 1) - 1;
    if (left === 0) this.#sources.delete(source);
    else this.#sources.set(source, left);
    if (!inside) return;
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      this.#inside.add(next);
      next.unpark();
      break;
    }
  }
}

/** The address without its port. */
function sourceOf(endpoint: string): string {
  const colon = endpoint.lastIndexOf(':');
  return colon > 0 ? endpoint.slice(0, colon) : endpoint;
}

/** Waiting connections for each that is inside. */
const QUEUE = 4;
