// Whether the peer is alive (docs/wire-protocol.md §9).
//
// Owns the times at which the peer was last heard and last pinged. The session reports input to it
// and asks it what is due.

import type { Random } from '../random.ts';

/** The times after which a silent peer is pinged, and then disconnected. */
export interface KeepAlive {
  /** Duration, in milliseconds, without received data after which a PING is sent. */
  readonly interval: number;
  /**
   * Duration, in milliseconds, within which the peer must send something after the PING; otherwise
   * it is considered dead.
   */
  readonly timeout: number;
}

/** Decides whether the peer is alive and when to send a PING. */
export class Liveness {
  rtt: number | undefined = undefined;
  #received: number;
  #pinged: number;
  /** The nonce of the outstanding PING; 0 if there is none. */
  #nonce = 0;
  readonly #keepAlive: KeepAlive;
  readonly #random: Random;

  constructor(keepAlive: KeepAlive, random: Random, now: number) {
    this.#keepAlive = keepAlive;
    this.#random = random;
    this.#received = this.#pinged = now;
  }

  /** Called when any byte was received. */
  heard(now: number): void {
    this.#received = now;
  }

  /**
   * Returns the number of milliseconds for which a PING has been outstanding while nothing was
   * received.
   */
  silence(now: number): number {
    return this.#nonce === 0 ? 0 : Math.max(0, now - Math.max(this.#received, this.#pinged));
  }

  /**
   * Returns the nonce of a PING to send now. Nonces stay below 2^31 like call ids: V8 stores larger
   * numbers on the heap, and an id field that may hold either kind would always be on the heap.
   */
  ping(now: number): number {
    this.#pinged = now;
    this.#nonce = 1 + Math.floor(this.#random() * 0x7fff_fffe);
    return this.#nonce;
  }

  /** True if a PING is outstanding. */
  get asks(): boolean {
    return this.#nonce !== 0;
  }

  /**
   * Handles a PONG and returns the round trip in milliseconds. Returns undefined for a PONG that
   * was not requested.
   */
  pong(nonce: number, now: number): number | undefined {
    if (nonce !== this.#nonce || nonce === 0) return undefined;
    this.#nonce = 0;
    this.rtt = Math.max(now - this.#pinged, 0);
    return this.rtt;
  }

  /**
   * Returns the time of the next check.
   * @param active the time of the last message.
   */
  due(active: number): number {
    if (this.#nonce !== 0) return this.#deadline();
    return active > this.#pinged
      ? this.#pinged + this.#keepAlive.interval
      : Math.max(this.#received, this.#pinged) + this.#keepAlive.interval;
  }

  /** Returns true if the peer has sent nothing at all, not even a PONG, within the timeout. */
  dead(now: number): boolean {
    return this.#nonce !== 0 && now >= this.#deadline();
  }

  /**
   * A PING that only measures the round trip is sent early; the peer may nevertheless be silent for
   * the whole interval.
   */
  #deadline(): number {
    return (
      Math.max(this.#pinged, this.#received + this.#keepAlive.interval) + this.#keepAlive.timeout
    );
  }

  /** Returns true if a PING is due because of silence, or to measure a busy connection. */
  wantsPing(now: number, active: number): boolean {
    return this.#nonce === 0 && now >= this.due(active);
  }

  /**
   * Accounts for `lateness` milliseconds during which this process was asleep, so the peer is not
   * blamed for them.
   */
  excuse(lateness: number): void {
    this.#received += lateness;
    if (this.#nonce !== 0) this.#pinged += lateness;
  }
}
