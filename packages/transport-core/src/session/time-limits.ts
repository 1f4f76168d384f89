// The time limits of an open connection: silence of the peer, a peer that does not read, and
// idleness (docs/wire-protocol.md §9).
//
// Owns the holds that keep a connection from becoming idle. The session asks it what is due. It
// sends PINGs.

import { reasonError, type TransportError } from '../errors.ts';
import { Kind } from '../wire/frame.ts';
import { STUCK } from './batch.ts';
import type { SessionOptions } from './session-options.ts';
import type { SessionParts } from './session-parts.ts';

export class TimeLimits {
  /**
   * Milliseconds without activity until this end leaves. The acceptor waits twice as long, so the
   * dialer, which knows its own plans, normally leaves first.
   */
  readonly idleTime: number;
  #holds = 0;
  readonly #session: SessionParts;
  /** Milliseconds of silence after which the peer is considered dead. */
  readonly #silence: number;

  constructor(session: SessionParts, { idleTimeout, keepAlive, side }: SessionOptions) {
    this.#session = session;
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

  /** The time at which a session leaves because nothing happens; Infinity if it is in use. */
  get idleDue(): number {
    return this.#holds === 0 && this.#session.isUnused
      ? this.#session.context.active + this.idleTime
      : Number.POSITIVE_INFINITY;
  }

  /** The next time at which one of the limits is due, except that of idleness. */
  get due(): number {
    const { batch, context, liveness, outbox } = this.#session;
    return Math.min(liveness.due(context.active), batch.stuckAt, outbox.stuckAt, batch.heldUntil);
  }

  /** Sends a PING if it is time for one. */
  ping(now: number): void {
    const { batch, context, liveness } = this.#session;
    if (liveness.wantsPing(now, context.active)) batch.control(Kind.PING, liveness.ping(now));
  }

  /** Returns the reason to cut the connection, if the peer has exceeded a limit. */
  exceeded(now: number): TransportError | undefined {
    const { batch, liveness, outbox } = this.#session;
    if (now >= Math.min(batch.stuckAt, outbox.stuckAt))
      return reasonError('reset', `the other end has read nothing for ${STUCK / 1_000} s`);
    if (batch.stuffed)
      return reasonError(
        'reset',
        'the other end reads too slowly: 1 MiB of control frames is queued',
      );
    if (liveness.dead(now))
      return reasonError('ping_timeout', `the other end was silent for ${this.#silence} ms`);
    return undefined;
  }
}
