// The graceful end of a session: both ends send GO_AWAY, open calls are served, then the connection
// closes (docs/wire-protocol.md §8).
//
// Owns the reasons why each end has left, and the time limits for leaving. The session creates it
// when this end begins to leave, also in reply to the peer's GO_AWAY, passes it the time and that
// GO_AWAY, and calls `finish` at the end of each tick. It may end the session, and fail the calls
// that are still open. Whether this transport closes is known from `callee.refusing`, which
// `Session.shut` sets before it calls `shut`. Tested in session.test.ts, and in testing/session by
// ending-cases.ts and closing-cases.ts.

import { type ErrorReason, reasonError, reasonOf, TransportError } from '../errors.ts';
import type { Frame } from '../wire/frame.ts';
import { goAwayFrame, remoteError } from '../wire/metadata.ts';
import type { SessionParts } from './session-parts.ts';

/** A session that leaves gracefully. */
export class GracefulClose {
  /** The reason why this end opens no more calls. */
  readonly left: TransportError;
  /** The reason why the peer opens no more calls. */
  #peerLeft: TransportError | undefined = undefined;
  /** The time by which leaving must be complete. */
  #leaveDue: number;
  /**
   * The time at which calls in flight fail because the transport closes. Infinity if it does not
   * close, if it sets no limit, and again once the grace period is over.
   */
  #graceDue = Number.POSITIVE_INFINITY;
  /** False once the grace period is over. */
  #waitsForCalls = true;
  readonly #parts: SessionParts;
  readonly #end: (arrived: boolean) => void;

  /**
   * Sends a GO_AWAY after everything that was accepted.
   * @param told the text that the peer receives.
   * @param end ends the session; `arrived` is true if everything written before the GO_AWAY is
   * known to have arrived, or assumed to (see `finish`).
   * @param time the time limit for leaving, in milliseconds. By default, a duplicate connection or
   * a draining node has no limit, because such connections stay open until their calls end; nor
   * does a peer whose transport closes, because it sets its own limit.
   */
  constructor(
    parts: SessionParts,
    left: TransportError,
    told: string,
    end: (arrived: boolean) => void,
    time: number = PATIENT.has(left.reason) ? Number.POSITIVE_INFINITY : LEAVE_TIME,
  ) {
    this.#parts = parts;
    this.#end = end;
    this.left = left;
    const { context, outbox } = parts;
    this.#leaveDue = context.now + time;
    context.wakeBy(this.#leaveDue);
    outbox.sayFarewell(goAwayFrame(left, told));
  }

  /**
   * True if both ends have sent GO_AWAY, so that the peer reads everything that we sent before our
   * GO_AWAY: an end that leaves goes on reading until it has read the other's GO_AWAY or its time
   * is up. This does not hold for a peer whose transport closes, because it drops what still
   * arrives. If this transport closes, too, it is assumed nevertheless, as in `finish`.
   */
  get isMutual(): boolean {
    const { callee, outbox } = this.#parts;
    return (
      this.#peerLeft !== undefined &&
      outbox.saidFarewell &&
      (this.#peerLeft.reason !== 'closed' || callee.refusing !== undefined)
    );
  }

  /** The time at which `wake` has something to do. */
  get due(): number {
    return Math.min(this.#leaveDue, this.#graceDue);
  }

  /**
   * Closes because the transport closes. Open calls get up to `grace` milliseconds to finish, or
   * unlimited time if it is Infinity, and flushing accepted data may take one more second.
   */
  shut(grace: number): void {
    const { caller, context } = this.#parts;
    this.#graceDue = context.now + grace;
    this.#leaveDue = Math.min(this.#leaveDue, this.#graceDue + FLUSH_TIME);
    caller.failUnsent(SHUTDOWN);
    context.wakeBy(this.#graceDue);
    if (grace === 0) this.#endGrace();
  }

  /** Handles the peer's GO_AWAY. */
  hear(error: TransportError): void {
    if (this.#peerLeft !== undefined) return;
    this.#peerLeft = error;
    this.finish();
  }

  /** Ends everything that has taken too long. */
  wake(now: number): void {
    if (now >= this.#graceDue) this.#endGrace();
    if (now < this.#leaveDue) return;
    this.#close(this.isMutual);
  }

  /** Closes the connection gracefully if nothing is left to send or to wait for. */
  finish(): void {
    const { batch, callee, caller, outbox } = this.#parts;
    if (!outbox.saidFarewell || !outbox.idle || batch.blocked) return;
    const shutting = callee.refusing !== undefined;
    if (this.#peerLeft === undefined && !shutting) return;
    if (this.#waitsForCalls && (caller.slots.size > 0 || callee.ids.size > 0)) return;
    // A closing transport has written everything and does not wait for the peer's GO_AWAY, so it
    // assumes that everything has arrived.
    this.#close(shutting || this.isMutual);
  }

  /** May run twice in one `wake`; both the port and `#end` ignore the second call. */
  #close(arrived: boolean): void {
    const { batch, context } = this.#parts;
    batch.flush();
    context.port.close();
    this.#end(arrived);
  }

  #endGrace(): void {
    this.#graceDue = Number.POSITIVE_INFINITY;
    this.#waitsForCalls = false;
    this.#parts.caller.failAll(SHUTDOWN);
    this.finish();
  }
}

/** Returns the error that a GO_AWAY carries. */
export function goAwayError(frame: Frame): TransportError {
  // The peer's text describes "its peer's certificate", which is the certificate of this end.
  const whose =
    reasonOf(frame.reason)?.endsWith('_certificate') === true
      ? "the other end refused this end's certificate or identity: "
      : '';
  return remoteError(frame, whose, 'the other end ended the connection');
}

/**
 * Returns the error for calls that are open when a connection ends, and for callers that wait until
 * it is writable. The reasons `duplicate` and `draining` concern only the connection; the calls
 * fail with `disconnected`.
 */
export function lossOf(error: TransportError): TransportError {
  return error.reason === 'duplicate' || error.reason === 'draining'
    ? reasonError('disconnected', error.message, { origin: error.origin })
    : error;
}

/**
 * Maximum duration of a graceful close, in milliseconds, if its reason is not in PATIENT and this
 * transport does not close.
 */
const LEAVE_TIME = 5_000;
/**
 * Maximum time, in milliseconds, that a closing transport spends on flushing after its grace
 * period.
 */
export const FLUSH_TIME = 1_000;
/** The error that the peers of a closing transport receive: in GO_AWAY, and for their new calls. */
export const CLOSED = reasonError('closed', 'the other end has closed its transport');
/** The error of calls that are open when this transport closes. */
export const SHUTDOWN = new TransportError('shutdown', 'this transport was closed');
/**
 * The reasons for leaving that have no time limit of their own. When our own transport closes,
 * `Session.shut` and `shut` set a limit from the grace period.
 */
const PATIENT = new Set<ErrorReason | undefined>(['duplicate', 'draining', 'closed']);
