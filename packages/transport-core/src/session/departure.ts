// How a session ends in order: GO_AWAY both ways, what is open is served, then the end (docs/wire-protocol.md §8).

import { codeNumber, codeOf, type Reason, reasonError, reasonNumber, reasonOf, TransportError } from '../errors.ts';
import { cleanText, truncateText } from '../text.ts';
import type { Frame } from '../wire/frame.ts';
import type { Callee } from './callee.ts';
import type { Caller } from './caller.ts';
import type { Channels } from './channels.ts';
import type { Link } from './link.ts';
import type { OutCall } from './out-call.ts';
import type { Outbox } from './outbox.ts';

/** What leaving asks of the session. */
export interface Departing {
  /** Nothing new is opened here from now on; calls that waited for room go elsewhere. */
  departed(waiting: OutCall[]): void;
  /** @param arrived all that was written before the GO_AWAY is known to be there. */
  end(error: TransportError, arrived: boolean): void;
}

export class Departure {
  /** Why we open nothing more. */
  left: TransportError | undefined = undefined;
  /** Why the peer opens nothing more. */
  peerLeft: TransportError | undefined = undefined;
  /** When leaving has taken too long; and, of a closing transport, when calls in flight are failed. */
  #leaveDue = Number.POSITIVE_INFINITY;
  #graceDue = Number.POSITIVE_INFINITY;
  readonly #link: Link;
  readonly #outbox: Outbox;
  readonly #caller: Caller;
  readonly #callee: Callee;
  readonly #channels: Channels;
  readonly #session: Departing;

  constructor(link: Link, outbox: Outbox, caller: Caller, callee: Callee, channels: Channels, session: Departing) {
    this.#link = link;
    this.#outbox = outbox;
    this.#caller = caller;
    this.#callee = callee;
    this.#channels = channels;
    this.#session = session;
  }

  /** Both ends have said GO_AWAY, so the other one has read all that we sent before ours; unless it closes, and drops what comes. */
  get isMutual(): boolean {
    return this.peerLeft !== undefined && this.#outbox.saidFarewell && (this.peerLeft.reason !== 'closed' || this.#callee.refusing !== undefined);
  }

  /** When `wake` has something to do. */
  get due(): number {
    return Math.min(this.#leaveDue, this.#graceDue);
  }

  /**
   * Says GO_AWAY behind all that was accepted. A duplicate lives until its calls end, and how long a transport that closes may take is
   * its own affair.
   * @param told what the peer reads.
   */
  leave(error: TransportError, told: string, time = PATIENT.has(error.reason) ? Number.POSITIVE_INFINITY : LEAVE_TIME): void {
    if (this.left !== undefined) return;
    this.left = error;
    this.#leaveDue = this.#link.now + time;
    if (time !== Number.POSITIVE_INFINITY) this.#link.port.wakeBy(this.#leaveDue);
    this.#channels.payHeld();
    this.#outbox.sayFarewell({ code: codeNumber(error.code), reason: reasonNumber(error.reason), text: truncateText(told) });
    this.#session.departed(this.#caller.takeWaiting(this.#channels.all()));
  }

  /** The transport closes: what arrives is refused, what is open has `grace` milliseconds, what was accepted one second more. */
  shut(grace: number): void {
    this.#callee.refusing = CLOSED;
    this.#graceDue = this.#link.now + grace;
    this.leave(reasonError('closed', SHUTDOWN.message), CLOSED.message, grace + FLUSH_TIME);
    this.#leaveDue = Math.min(this.#leaveDue, this.#graceDue + FLUSH_TIME);
    this.#caller.failUnsent(SHUTDOWN, this.#channels.all());
    this.#link.port.wakeBy(this.#graceDue);
    if (grace === 0) this.#endGrace();
  }

  /** The peer's GO_AWAY. False: it is no orderly one, and the connection is over. */
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
    this.#link.port.close();
    this.#session.end(this.left, this.isMutual);
  }

  /** Nothing is left to say or to wait for: ends in order. */
  finish(): void {
    if (this.left === undefined || !this.#outbox.saidFarewell || !this.#outbox.idle || this.#outbox.blocked) return;
    const shutting = this.#callee.refusing !== undefined;
    if (this.peerLeft === undefined && !shutting) return;
    const waits = this.#graceDue !== Number.POSITIVE_INFINITY || !shutting;
    if (waits && (this.#caller.slots.size > 0 || this.#callee.ids.size > 0)) return;
    this.#outbox.flush();
    this.#link.port.close();
    // A transport that closes has written all, and waits for nobody's word.
    this.#session.end(this.left, shutting || this.isMutual);
  }

  #endGrace(): void {
    this.#graceDue = Number.POSITIVE_INFINITY;
    this.#caller.failAll(SHUTDOWN);
    this.finish();
  }
}

/** The error that a GO_AWAY tells. */
export function goAwayError(frame: Frame): TransportError {
  const reason = reasonOf(frame.reason);
  const text = cleanText(frame.text) || 'the other end ended the connection';
  // What the other end says of its peer's certificate is of this end's.
  const whose = reason === 'bad_certificate' ? "the other end refused this end's certificate or identity: " : '';
  return new TransportError(codeOf(frame.code), whose + text, { reason, origin: 'remote' });
}

/** What calls fail with that are open when a connection ends: a duplicate is the connection's affair, and theirs is that it is gone. */
export function lossOf(error: TransportError): TransportError {
  return error.reason === 'duplicate' ? reasonError('disconnected', error.message, { origin: error.origin }) : error;
}

/** Leaving in order takes no longer than this. */
const LEAVE_TIME = 5_000;
/** Beyond its grace a closing transport flushes for so long. */
const FLUSH_TIME = 1_000;
const CLOSED = reasonError('closed', 'the other end has closed its transport');
const SHUTDOWN = new TransportError('shutdown', 'this transport was closed');
/** Leaving for these has no bound of its own; our own `closed` comes with its grace. */
const PATIENT: ReadonlySet<Reason | undefined> = new Set(['duplicate', 'closed'] as const);
const ORDERLY: ReadonlySet<Reason> = new Set(['idle', 'closed', 'disconnected', 'duplicate'] as const);
