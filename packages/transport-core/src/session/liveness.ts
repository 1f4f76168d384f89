// The time limits of an open connection: silence of the peer, a peer that does not read, and
// idleness (docs/wire-protocol.md §9).
//
// Owns the times at which the peer was last heard and last pinged, and the holds that keep a
// connection from becoming idle. The session reports input to it and asks it what is due. It sends
// PINGs.

import { reasonError, type TransportError } from '../errors.ts';
import type { Random } from '../random.ts';
import { inMs } from '../text.ts';
import { Kind } from '../wire/frame.ts';
import { type Batch, STUCK } from './batch.ts';
import type { Callee } from './callee.ts';
import type { Caller } from './caller.ts';
import type { Outbox } from './outbox.ts';
import type { SessionContext } from './session-context.ts';

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

/** The parts of a session whose time is limited. */
interface LimitedParts {
  readonly context: SessionContext;
  readonly batch: Batch;
  readonly outbox: Outbox;
  readonly liveness: Liveness;
  readonly caller: Caller;
  readonly callee: Callee;
}

/** The time limits of a connection. */
export interface TimeLimitOptions {
  readonly side: 'dialer' | 'acceptor';
  readonly keepAlive: KeepAlive;
  /**
   * Duration, in milliseconds, without activity after which the dialer leaves; the acceptor waits
   * twice as long.
   */
  readonly idleTimeout: number;
}

/** The limits of an open connection, each with the error for exceeding it. */
export class TimeLimits {
  /**
   * Duration, in milliseconds, without activity after which this end leaves. The acceptor waits
   * twice as long, so the dialer, which knows its own plans, normally leaves first.
   */
  readonly idleTime: number;
  #holds = 0;
  readonly #parts: LimitedParts;
  /** Duration of silence, in milliseconds, after which the peer is considered dead. */
  readonly #silence: number;

  constructor(parts: LimitedParts, { idleTimeout, keepAlive, side }: TimeLimitOptions) {
    this.#parts = parts;
    this.#silence = keepAlive.interval + keepAlive.timeout;
    this.idleTime = idleTimeout * (side === 'dialer' ? 1 : 2);
  }

  /** Keeps the session from becoming idle until the returned function is called. */
  hold(): () => void {
    let held = true;
    this.#holds++;
    return () => {
      if (held) this.#holds--;
      held = false;
    };
  }

  /** The time at which an unused session leaves; Infinity if the session is in use. */
  get idleDue(): number {
    return this.#holds === 0 && this.#isUnused
      ? this.#parts.context.active + this.idleTime
      : Number.POSITIVE_INFINITY;
  }

  /** True if nothing is sent, called or served. */
  get #isUnused(): boolean {
    const { caller, callee, outbox } = this.#parts;
    return caller.slots.size === 0 && callee.served.ids.size === 0 && outbox.idle;
  }

  /** The next time at which one of the limits is due, except the idle limit. */
  get due(): number {
    const { batch, context, liveness, outbox } = this.#parts;
    return Math.min(liveness.due(context.active), batch.stuckAt, outbox.stuckAt, batch.heldUntil);
  }

  /** Sends a PING if it is time for one. */
  ping(now: number): void {
    const { batch, context, liveness } = this.#parts;
    if (liveness.wantsPing(now, context.active)) batch.control(Kind.PING, liveness.ping(now));
  }

  /** Returns the reason to close the connection, if the peer has exceeded a limit. */
  exceeded(now: number): TransportError | undefined {
    const { batch, liveness, outbox } = this.#parts;
    if (now >= Math.min(batch.stuckAt, outbox.stuckAt))
      return reasonError('reset', `the other end has read nothing for ${STUCK / 1_000} s`);
    if (batch.stuffed)
      return reasonError(
        'reset',
        'the other end reads too slowly: 1 MiB of control frames is queued',
      );
    if (liveness.dead(now))
      return reasonError('ping_timeout', `the other end was silent for ${inMs(this.#silence)}`);
    return undefined;
  }
}
