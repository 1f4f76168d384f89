// What the parts of one session share: the writer, the peer's terms, the time, the memory account. It knows none of them.

import { TransportError } from '../errors.ts';
import { type Entry, List } from '../list.ts';
import type { Counter } from '../observer.ts';
import type { FrameWriter } from '../wire/frame.ts';
import type { Memory, MemoryGauge, Sender } from './memory.ts';
import { REFUSAL } from './work.ts';

/** The bounds of a session; those that the peer must know cross in HELLO. */
export interface SessionLimits {
  readonly message: number;
  readonly item: number;
  readonly packet: number;
  readonly calls: number;
  readonly streams: number;
  readonly inbound: { readonly calls: number; readonly bytes: number };
  readonly total: { readonly calls: number; readonly bytes: number };
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

/** A long message that is coming in, as its connection knows it. */
export interface Unfinished extends Entry {
  /** How much of it has come. */
  readonly got: number;
  /** There is no room for the rest: its owner discards it. */
  refuse(): void;
  /** No packet of it came for too long. */
  stopped(): void;
}

/** How a peer broke the rules; the session ends with GO_AWAY. */
export type Violation = (reason: 'malformed' | 'too_large' | 'flood', message: string) => void;

/** The state that the parts of a session share. */
export class Link implements Sender {
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
  #readCalls = 0;
  #readWeight = 0;
  /** The connection's part of what `limits.total` bounds. */
  calls = 0;
  bytes = 0;
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
  readonly memory: Memory;
  readonly allocate: (size: number) => Uint8Array;
  readonly count: (counter: Counter, amount: number) => void;
  readonly violation: Violation;
  /** Ends the connection with a GO_AWAY that tells this error. */
  readonly breakOff: (error: TransportError) => void;
  /** Bytes that have come of messages that are not whole. */
  unfinished = 0;
  readonly #assemblies = new List<Unfinished>();
  /** How much has come of long messages since `#since`, and whether that was too little when it was last judged. */
  #came = 0;
  #since = 0;
  /** How much had come before, since `#from`. */
  #before = 0;
  #from = 0;
  #wasSlow = false;

  constructor(init: Pick<Link, 'writer' | 'port' | 'limits' | 'memory' | 'allocate' | 'count' | 'violation' | 'breakOff' | 'now'>) {
    this.writer = init.writer;
    this.port = init.port;
    this.limits = init.limits;
    this.memory = init.memory;
    this.allocate = init.allocate;
    this.count = init.count;
    this.violation = init.violation;
    this.breakOff = init.breakOff;
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

  /** What came in waits, or is being handled: it counts against `limits.memory` and `limits.total` until `leaves`. A waiting one-way is no call yet. */
  enters(cost: number, isCall: boolean): void {
    this.hold(cost);
    if (isCall) this.#count(1, this.#weight(cost));
    else this.#count(0, this.#weight(cost));
  }

  leaves(cost: number, isCall: boolean): void {
    this.free(cost);
    if (isCall) this.#count(-1, -this.#weight(cost));
    else this.#count(0, -this.#weight(cost));
  }

  /** A handler or a reader begins with what came in. */
  begin(cost: number, isRead: boolean): void {
    this.enters(cost, true);
    this.working += cost;
    if (!isRead) return;
    this.#reading += cost;
    this.#readCalls++;
    this.#readWeight += this.#weight(cost);
  }

  finish(cost: number, isRead: boolean): void {
    if (isRead && this.#over) return;
    this.leaves(cost, true);
    this.working -= cost;
    if (!isRead) return;
    this.#reading -= cost;
    this.#readCalls--;
    this.#readWeight -= this.#weight(cost);
  }

  /** What a message weighs against `limits.total.bytes`; of a long one only the call, since `limits.memory` bounds its bytes. */
  #weight(cost: number): number {
    return cost > this.terms.packet + UNIT ? CALL : cost + CALL;
  }

  #count(calls: number, bytes: number): void {
    const { memory } = this;
    this.calls += calls;
    this.bytes += bytes;
    memory.calls += calls;
    memory.bytes += bytes;
  }

  /**
   * No more calls of this connection are taken: `limits.total` has less room than the connection holds already. So one that holds much is
   * refused before it is full, and one that holds nothing finds room as long as there is any.
   */
  get hasTooMany(): boolean {
    return this.calls + this.memory.calls >= this.limits.total.calls || this.hasTooMuch;
  }

  /** The same of its bytes alone. */
  get hasTooMuch(): boolean {
    return this.bytes + this.memory.bytes >= this.limits.total.bytes;
  }

  /** The connection is over. Handlers that run go on to count until they end; a reader need not answer any more. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.free(this.#reading);
    this.working -= this.#reading;
    this.#count(-this.#readCalls, -this.#readWeight);
  }

  // Long messages on their way in.

  /** One begins, with its first bytes and so many that were allocated before they came. */
  begins(assembly: Unfinished, bytes: number, ahead: number): void {
    if (this.#assemblies.length === 0) {
      this.memory.begins(this);
      this.#from = this.#since = this.now;
      this.#came = this.#before = 0;
    }
    this.#assemblies.push(assembly);
    this.memory.ahead += ahead + bytes;
    this.comes(bytes);
  }

  /** More of one has come, and was allocated before. */
  comes(bytes: number): void {
    const { memory } = this;
    this.held += bytes;
    memory.used += bytes;
    this.unfinished += bytes;
    memory.unfinished += bytes;
    memory.ahead -= bytes;
    if (this.now >= this.#since + SLOW_TIME) {
      this.#wasSlow = this.#came < ((this.now - this.#since) / 1_000) * SLOW_RATE;
      this.#restart();
    }
    this.#came += bytes;
  }

  /** One is whole, or is dropped. */
  ends(assembly: Unfinished, bytes: number, ahead: number): void {
    this.free(bytes);
    this.unfinished -= bytes;
    this.memory.unfinished -= bytes;
    this.memory.ahead -= ahead;
    this.#assemblies.remove(assembly);
    if (this.#assemblies.length > 0) return;
    this.#wasSlow = false;
    this.memory.ends(this);
  }

  /** Those that are not whole. */
  get assemblies(): Iterable<Unfinished> {
    return this.#assemblies;
  }

  #restart(): void {
    this.#from = this.#since;
    this.#before = this.#came;
    this.#since = this.now;
    this.#came = 0;
  }

  /** Refuses unfinished messages, of any connection, while `limits.memory` is passed. */
  makeRoom(): void {
    if (this.memory.used > this.memory.limit) this.memory.makeRoom(this.now);
  }

  rate(now: number): number {
    return (this.#before + this.#came) / Math.max((now - this.#from) / 1_000, 1);
  }

  get largest(): number {
    return this.#largest(undefined)?.got ?? 0;
  }

  refuse(now: number, spares: boolean): void {
    this.now = now;
    const time = now - this.#since;
    const isSlow = time < SLOW_TIME ? this.#wasSlow : this.#came < (time / 1_000) * SLOW_RATE;
    if (isSlow) return this.breakOff(new TransportError('resource_exhausted', slow(this.memory)));
    const largest = this.#largest(undefined);
    (spares ? this.#largest(largest) : largest)!.refuse();
  }

  #largest(but: Unfinished | undefined): Unfinished | undefined {
    let largest: Unfinished | undefined;
    for (const each of this.#assemblies) if (each !== but && (largest === undefined || each.got > largest.got)) largest = each;
    return largest;
  }

  /** We were asleep for so long, and read nothing: that was not the sender's doing. */
  excuse(lateness: number): void {
    this.#since += lateness;
    this.#from += lateness;
  }

  /** Would a long message of `bytes` have room if nothing else were unfinished? */
  fits(bytes: number): boolean {
    return this.memory.used - this.memory.unfinished + bytes <= this.memory.limit;
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

function slow({ used, limit }: MemoryGauge): string {
  return `limits.memory is reached (${used} of ${limit} bytes are held), and this connection sent less than ${SLOW_RATE} bytes of long messages a second for ${SLOW_TIME / 1_000} s`;
}

/** What a unit costs its account besides its bytes: it bounds empty ones (docs/wire-protocol.md §6). */
export const UNIT = 64;
/** Bytes a second of long messages below which a sender is too slow, when memory is scarce, and the time for which it must have been. */
const SLOW_RATE = 16 * 1024;
const SLOW_TIME = 10_000;
/** What a call is taken to cost besides its bytes: objects of ours and of its handler. */
const CALL = 512;
/** Points a second of what costs us work for nothing, and those of a frame of no use. A refused request has one. */
const ABUSES = 10_000;
const USELESS = 10;
/** As good as no bound, for a session without a driver that gives units. */
export const UNBOUNDED = 0x3fff_ffff;
/** The highest an account may stand. */
export const ACCOUNT_MAX = 0x7fff_ffff;
