// The holds of one target, and the times at which the target is dialed because of them: immediately
// after a connection that lasted, otherwise with a back-off.

import type { ErrorCode } from '../errors.ts';
import type { Connection, ConnectionHost } from './connection.ts';

/** One hold of a target. */
export interface Hold {
  /** The hold ends when a dial fails with one of these codes. */
  readonly stopOn: readonly ErrorCode[];
  /** Called once, when the hold ends. */
  ended?(): void;
}

/** Keeps one connection to a target held, and decides when to dial the next one. */
export class HeldTarget {
  /** The time of the next dial; Infinity while none is due. */
  due = Number.POSITIVE_INFINITY;
  readonly #host: ConnectionHost;
  readonly #holds = new Set<Hold>();
  #delay = FIRST_DELAY;
  #connection: Connection | undefined;
  #since = 0;
  #release: (() => void) | undefined;

  constructor(host: ConnectionHost) {
    this.#host = host;
  }

  /** True while the target is held. */
  get active(): boolean {
    return this.#holds.size > 0;
  }

  /** Holds the target. The caller then dials it, or calls `up`. */
  hold(hold: Hold): void {
    this.#holds.add(hold);
  }

  /**
   * Ends one hold. When the last one ends, the connection and the dial are released. Returns false
   * if this hold had ended before.
   */
  leave(hold: Hold): boolean {
    if (!this.#holds.delete(hold)) return false;
    hold.ended?.();
    if (this.active) return true;
    this.due = Number.POSITIVE_INFINITY;
    this.#release?.();
    this.#connection = this.#release = undefined;
    return true;
  }

  /** Holds a connection that is up, unless another one is held. */
  up(connection: Connection): void {
    this.due = Number.POSITIVE_INFINITY;
    if (!this.active || this.#connection !== undefined) return;
    this.#connection = connection;
    this.#since = this.#host.ticker.now();
    this.#release = connection.session.hold();
  }

  /**
   * Reports that a connection takes no new calls. A connection that lasted longer than the back-off
   * is replaced immediately. Returns false if this connection was not the held one.
   */
  lost(connection: Connection): boolean {
    if (connection !== this.#connection) return false;
    this.#release?.();
    this.#connection = this.#release = undefined;
    const now = this.#host.ticker.now();
    if (now - this.#since <= this.#delay) this.failed();
    else {
      this.#delay = FIRST_DELAY;
      this.#dialAt(now);
    }
    return true;
  }

  /** Reports that a dial has failed; a code ends the holds that it stops. */
  failed(code?: ErrorCode): void {
    for (const hold of this.#holds) if (hold.stopOn.includes(code!)) this.leave(hold);
    if (!this.active) return;
    const { random, ticker } = this.#host;
    this.#dialAt(ticker.now() + this.#delay * (1 + JITTER * (2 * random() - 1)));
    this.#delay = Math.min(2 * this.#delay, LONGEST_DELAY);
  }

  #dialAt(time: number): void {
    this.due = time;
    this.#host.timer.by(time);
  }
}

/**
 * The delay before the second dial, in milliseconds; each further delay is twice as long as the one
 * before.
 */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 30_000;
/**
 * The fraction by which a wait varies, so that the clients of a server do not all return at the
 * same time.
 */
const JITTER = 0.2;
