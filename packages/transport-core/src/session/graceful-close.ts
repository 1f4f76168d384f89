// The orderly end of a session: both ends send GO_AWAY, open calls are served, then the connection
// closes (docs/wire-protocol.md §8).

import {
  codeNumber,
  codeOf,
  type Reason,
  reasonError,
  reasonNumber,
  reasonOf,
  TransportError,
} from '../errors.ts';
import { cleanText, truncateText } from '../text.ts';
import type { Frame } from '../wire/frame.ts';
import type { Callee } from './callee.ts';
import type { Caller } from './caller.ts';
import type { Channels } from './channels.ts';
import type { OutCall } from './out-call.ts';
import type { Outbox } from './outbox.ts';
import type { SessionContext } from './session-context.ts';

/** The parts of a session that its graceful close uses. */
export interface GracefulCloseHost {
  /**
   * Called when this end starts to leave: it opens nothing new, and the calls that waited for room
   * go elsewhere.
   */
  departed(waiting: OutCall[]): void;
  /** @param arrived true if everything written before the GO_AWAY is known to have arrived. */
  end(error: TransportError, arrived: boolean): void;
}

export class GracefulClose {
  /** The reason why this end opens nothing more. */
  left: TransportError | undefined = undefined;
  /** The reason why the peer opens nothing more. */
  peerLeft: TransportError | undefined = undefined;
  /**
   * The time at which leaving has taken too long; and, if the transport closes, the time at which
   * calls in flight fail.
   */
  #leaveDue = Number.POSITIVE_INFINITY;
  #graceDue = Number.POSITIVE_INFINITY;
  readonly #context: SessionContext;
  readonly #outbox: Outbox;
  readonly #caller: Caller;
  readonly #callee: Callee;
  readonly #channels: Channels;
  readonly #session: GracefulCloseHost;

  constructor(
    context: SessionContext,
    outbox: Outbox,
    caller: Caller,
    callee: Callee,
    channels: Channels,
    session: GracefulCloseHost,
  ) {
    this.#context = context;
    this.#outbox = outbox;
    this.#caller = caller;
    this.#callee = callee;
    this.#channels = channels;
    this.#session = session;
  }

  /**
   * True if both ends have sent GO_AWAY, so that the peer has read everything that we sent before
   * ours. That does not hold for a peer whose transport closes, because it drops what still
   * arrives, unless this transport closes, too.
   */
  get isMutual(): boolean {
    return (
      this.peerLeft !== undefined &&
      this.#outbox.saidFarewell &&
      (this.peerLeft.reason !== 'closed' || this.#callee.refusing !== undefined)
    );
  }

  /** The time at which `wake` has something to do. */
  get due(): number {
    return Math.min(this.#leaveDue, this.#graceDue);
  }

  /**
   * Sends a GO_AWAY behind everything that was accepted. There is no time limit for a duplicate
   * connection, which lives until its calls end, nor for a peer whose transport closes, which sets
   * its own limit.
   * @param told the text that the peer receives.
   */
  leave(
    error: TransportError,
    told: string,
    time = PATIENT.has(error.reason) ? Number.POSITIVE_INFINITY : LEAVE_TIME,
  ): void {
    if (this.left !== undefined) return;
    this.left = error;
    this.#leaveDue = this.#context.now + time;
    if (time !== Number.POSITIVE_INFINITY) this.#context.port.wakeBy(this.#leaveDue);
    this.#channels.payHeld();
    this.#outbox.sayFarewell({
      code: codeNumber(error.code),
      reason: reasonNumber(error.reason),
      text: truncateText(told),
    });
    this.#session.departed(this.#caller.takeWaiting(this.#channels.all()));
  }

  /**
   * Leaves because the transport closes. New calls of the peer are refused, open calls have `grace`
   * milliseconds to finish, and flushing accepted data may take one more second.
   */
  shut(grace: number): void {
    this.#callee.refusing = CLOSED;
    this.#graceDue = this.#context.now + grace;
    this.leave(reasonError('closed', SHUTDOWN.message), CLOSED.message, grace + FLUSH_TIME);
    this.#leaveDue = Math.min(this.#leaveDue, this.#graceDue + FLUSH_TIME);
    this.#caller.failUnsent(SHUTDOWN, this.#channels.all());
    this.#context.port.wakeBy(this.#graceDue);
    if (grace === 0) this.#endGrace();
  }

  /**
   * Handles the peer's GO_AWAY. Returns false if its reason is not an orderly one, so the
   * connection is over at once.
   */
  hear(error: TransportError): boolean {
    if (error.reason === undefined || !ORDERLY.has(error.reason)) return false;
    if (this.peerLeft !== undefined) return true;
    this.peerLeft = error;
    this.leave(error, error.message);
    this.finish();
    return true;
  }

  /** Ends what has taken too long. */
  wake(now: number): void {
    if (now >= this.#graceDue) this.#endGrace();
    if (now < this.#leaveDue || this.left === undefined) return;
    this.#outbox.flush();
    this.#context.port.close();
    this.#session.end(this.left, this.isMutual);
  }

  /** Closes the connection in order if nothing is left to send or to wait for. */
  finish(): void {
    if (
      this.left === undefined ||
      !this.#outbox.saidFarewell ||
      !this.#outbox.idle ||
      this.#outbox.blocked
    )
      return;
    const shutting = this.#callee.refusing !== undefined;
    if (this.peerLeft === undefined && !shutting) return;
    const waits = this.#graceDue !== Number.POSITIVE_INFINITY || !shutting;
    if (waits && (this.#caller.slots.size > 0 || this.#callee.ids.size > 0)) return;
    this.#outbox.flush();
    this.#context.port.close();
    // A closing transport has written everything and does not wait for the peer's GO_AWAY.
    this.#session.end(this.left, shutting || this.isMutual);
  }

  #endGrace(): void {
    this.#graceDue = Number.POSITIVE_INFINITY;
    this.#caller.failAll(SHUTDOWN);
    this.finish();
  }
}

/** Returns the error that a GO_AWAY carries. */
export function goAwayError(frame: Frame): TransportError {
  const reason = reasonOf(frame.reason);
  const text = cleanText(frame.text) || 'the other end ended the connection';
  // The peer's text describes "its peer's certificate", which is the certificate of this end.
  const whose =
    reason === 'bad_certificate'
      ? "the other end refused this end's certificate or identity: "
      : '';
  return new TransportError(codeOf(frame.code), whose + text, { reason, origin: 'remote' });
}

/**
 * Returns the error for calls that are open when a connection ends. `duplicate` only concerns the
 * connection; for the calls it is `disconnected`.
 */
export function lossOf(error: TransportError): TransportError {
  return error.reason === 'duplicate'
    ? reasonError('disconnected', error.message, { origin: error.origin })
    : error;
}

/** Milliseconds that a graceful close may take. */
const LEAVE_TIME = 5_000;
/** Milliseconds that a closing transport may spend on flushing after its grace period. */
const FLUSH_TIME = 1_000;
const CLOSED = reasonError('closed', 'the other end has closed its transport');
const SHUTDOWN = new TransportError('shutdown', 'this transport was closed');
/**
 * Reasons for which leaving has no time limit of its own. When our own transport closes, `shut`
 * sets a limit from the grace period.
 */
const PATIENT: ReadonlySet<Reason | undefined> = new Set(['duplicate', 'closed'] as const);
const ORDERLY: ReadonlySet<Reason> = new Set([
  'idle',
  'closed',
  'disconnected',
  'duplicate',
] as const);
