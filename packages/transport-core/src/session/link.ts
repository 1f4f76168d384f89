// What the parts of one session share: the writer, the peer's terms, the time, the memory account. It knows none of them.

import { TransportError } from '../errors.ts';
import type { Counter } from '../observer.ts';
import type { FrameWriter } from '../wire/frame.ts';
import { REFUSAL } from './work.ts';

/** The bounds of a session; those that the peer must know cross in HELLO. */
export interface SessionLimits {
  readonly message: number;
  readonly item: number;
  readonly packet: number;
  readonly calls: number;
  readonly streams: number;
  readonly inbound: { readonly calls: number; readonly bytes: number };
  readonly outbound: { readonly messages: number; readonly bytes: number };
  readonly credit: {
    readonly pipe: number;
    readonly pipeMax: number;
    readonly short: number;
    readonly long: number;
    readonly reply: number;
    readonly replyMax: number;
    readonly stream: number;
    readonly streamMax: number;
  };
}

/** What the peer's HELLO lets us do. */
export interface Terms {
  /** The smaller of both ends': a message of more bytes is long. */
  packet: number;
  message: number;
  item: number;
  calls: number;
  streams: number;
  /** What our accounts towards the peer start with. */
  short: number;
  long: number;
  stream: number;
}

/** The session's way out, into the driver. */
export interface Port {
  /** Gives the batch to the connection; false: nothing more until `Session.drained()`. */
  flush(): boolean;
  /** Something waits in the batch or in the lanes: pump and flush at the end of this tick. */
  dirty(): void;
  /** The session wants `wake()` at this time or before. */
  wakeBy(time: number): void;
  /** Flush, then end in order. */
  close(): void;
  /** End at once. */
  destroy(error: TransportError): void;
}

/** Bytes that a transport holds for all its connections: incomplete, untaken, unsent. */
export interface MemoryGauge {
  used: number;
  /** Bytes by which windows have grown: peers may send as much beyond the starts. */
  lent: number;
  readonly limit: number;
}

/** How a peer broke the rules; the session ends with GO_AWAY. */
export type Violation = (reason: 'malformed' | 'too_large' | 'flood', message: string) => void;

/** The state that the parts of a session share. */
export class Link {
  now: number;
  /** The number of the batch that is being filled: what was written into an earlier one has left. */
  mark = 1;
  readonly terms: Terms;
  /** Our credit for packets of long messages and items. */
  pipe = 0;
  /** Our credit for long responses. */
  reply = 0;
  /** Bytes held for this session, its part of the gauge. */
  held = 0;
  /** The part of `held` that requests and one-ways take whose handlers run, or that a reader was given and has not answered. */
  working = 0;
  #reading = 0;
  #over = false;
  /** Bytes by which the pipe's window has grown. The windows of streams and of long responses follow it. */
  grown = 0;
  /** The last time when a call or message went either way. */
  active: number;
  /**
   * Work units that the peer may still cost in this turn: the driver gives them, each frame takes one, and at 0 the session reads no
   * further. Never above what V8 keeps without the heap.
   */
  units = UNBOUNDED;
  #abuses = 0;
  #abuseSince = 0;
  readonly writer: FrameWriter;
  readonly port: Port;
  readonly limits: SessionLimits;
  readonly memory: MemoryGauge;
  readonly allocate: (size: number) => Uint8Array;
  readonly count: (counter: Counter, amount: number) => void;
  readonly violation: Violation;

  constructor(init: Pick<Link, 'writer' | 'port' | 'limits' | 'memory' | 'allocate' | 'count' | 'violation' | 'now'>) {
    this.writer = init.writer;
    this.port = init.port;
    this.limits = init.limits;
    this.memory = init.memory;
    this.allocate = init.allocate;
    this.count = init.count;
    this.violation = init.violation;
    this.now = this.active = init.now;
    const { message, item, packet, calls, streams } = init.limits;
    this.terms = { message, item, packet, calls, streams, short: 0, long: 0, stream: 0 };
  }

  /** The peer did what costs us work for nothing. False: too often, and the connection is over (`flood`). */
  abused(points = USELESS): boolean {
    if (this.now - this.#abuseSince >= 1_000) {
      this.#abuseSince = this.now;
      this.#abuses = 0;
    }
    this.#abuses += points;
    if (this.#abuses <= ABUSES) return true;
    this.violation('flood', `more than ${ABUSES / USELESS} frames a second that are of no use, or ${ABUSES} requests that nobody can serve`);
    return false;
  }

  /** A request was refused that its caller could have known to be in vain: nobody has its method, or it can't be decoded (`points` for its size). */
  refused(points = 0): void {
    this.units -= REFUSAL;
    this.abused(1 + points);
  }

  hold(bytes: number): void {
    this.held += bytes;
    this.memory.used += bytes;
  }

  free(bytes: number): void {
    this.held -= bytes;
    this.memory.used -= bytes;
  }

  /** A handler or a reader begins with what came in: that counts against `limits.memory` until it is done. */
  begin(cost: number, isRead: boolean): void {
    this.hold(cost);
    this.working += cost;
    if (isRead) this.#reading += cost;
  }

  finish(cost: number, isRead: boolean): void {
    if (isRead && this.#over) return;
    this.free(cost);
    this.working -= cost;
    if (isRead) this.#reading -= cost;
  }

  /** The connection is over. Handlers that run go on to count until they end; a reader need not answer any more. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.free(this.#reading);
    this.working -= this.#reading;
  }

  /** Would `bytes` more pass `limits.memory`? */
  full(bytes: number): boolean {
    return this.memory.used + bytes > this.memory.limit;
  }
}

/** The transport holds as much as it may: a call that would have to wait is not taken. */
export function memoryFull({ used, limit }: MemoryGauge): TransportError {
  return new TransportError('resource_exhausted', `limits.memory is reached: ${used} of ${limit} bytes are held, the call was not sent`, { sent: false });
}

/** What a unit costs its account besides its bytes: it bounds empty ones (docs/wire-protocol.md §6). */
export const UNIT = 64;
/** Points a second of what costs us work for nothing, and those of a frame of no use. A refused request has one. */
const ABUSES = 10_000;
const USELESS = 10;
/** As good as no bound, for a session without a driver that gives units. */
export const UNBOUNDED = 0x3fff_ffff;
/** The highest an account may stand. */
export const ACCOUNT_MAX = 0x7fff_ffff;
