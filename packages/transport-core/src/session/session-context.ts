// The state that all parts of one session share: the writer, the peer's terms, the time, the memory
// account. It does not depend on any of those parts.

import { TransportError } from '../errors.ts';
import { List, type ListEntry } from '../list.ts';
import type { Counter } from '../observer.ts';
import type { Memory, MemoryGauge, MemoryHolder } from './memory.ts';
import { REFUSAL } from './work.ts';

/**
 * The limits of a session; `LimitOptions` describes them. Those that the peer must know are sent in
 * HELLO.
 */
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

/** The limits of this connection, settled from the HELLOs of both ends. */
export interface Terms {
  /** The smaller packet size of both ends, in bytes. A message of more bytes is long. */
  packet: number;
  /** The largest message and the largest item that the peer accepts, in bytes. */
  message: number;
  item: number;
  /**
   * Our open calls on a channel and open streaming calls on the connection; the smaller limit of
   * both ends.
   */
  calls: number;
  streams: number;
  /** The initial credit of our accounts with the peer, in bytes. */
  short: number;
  long: number;
  stream: number;
}

/** The interface through which a session uses its driver. */
export interface SessionPort {
  /**
   * Passes the batch to the connection. Returns false if nothing more may be written until
   * `Session.drained()` is called.
   */
  flush(): boolean;
  /**
   * Requests a `pump` and a flush at the end of this tick, because something waits in the batch or
   * in the lanes.
   */
  dirty(): void;
  /** Requests that `wake()` be called at this time or earlier. */
  wakeBy(time: number): void;
  /** Flushes and then closes the connection in order. */
  close(): void;
  /** Closes the connection at once. */
  destroy(error: TransportError): void;
}

/** An incoming long message, as its connection sees it. */
export interface Unfinished extends ListEntry {
  /** Bytes that have arrived so far. */
  readonly got: number;
  /** Discards the message because there is no room for the rest. */
  refuse(): void;
  /** Gives up the message because no packet of it has come for too long. */
  stopped(): void;
}

/** Reports how the peer broke the protocol; the session ends with a GO_AWAY. */
export type Violation = (reason: 'malformed' | 'too_large' | 'flood', message: string) => void;

/** The state that the parts of a session share. */
export class SessionContext implements MemoryHolder {
  now: number;
  readonly terms: Terms;
  /** Bytes held for this session; its part of {@link MemoryGauge.used}. */
  held = 0;
  /**
   * The part of `held` that belongs to requests and one-ways whose handler is running, or that a
   * reader was given and has not answered.
   */
  working = 0;
  #reading = 0;
  #readCalls = 0;
  #readWeight = 0;
  /** This connection's part of what `limits.total` bounds. */
  calls = 0;
  bytes = 0;
  #over = false;
  /**
   * Bytes by which the pipe's window has grown. The windows of streams and of long responses follow
   * it.
   */
  grown = 0;
  /** The time at which a call or message was last sent or received. */
  active: number;
  /**
   * Work units that the peer may still cost in this turn. The driver sets them, each frame takes at
   * least one, and at 0 the session stops reading. Always within V8's range of small integers, so
   * that it needs no heap allocation.
   */
  units = UNBOUNDED;
  #abuses = 0;
  #abuseSince = 0;
  readonly port: SessionPort;
  readonly limits: SessionLimits;
  readonly memory: Memory;
  readonly allocate: (size: number) => Uint8Array;
  readonly count: (counter: Counter, amount: number) => void;
  readonly violation: Violation;
  /** Ends the connection with a GO_AWAY that carries this error. */
  readonly breakOff: (error: TransportError) => void;
  /** Bytes that have arrived of incomplete messages. */
  unfinished = 0;
  readonly #assemblies = new List<Unfinished>();
  /** Bytes of long messages that arrived since `#since`. */
  #came = 0;
  #since = 0;
  /**
   * Bytes that arrived before that, since `#from`; and whether the rate was too low when it was
   * last judged.
   */
  #before = 0;
  #from = 0;
  #wasSlow = false;

  constructor(
    init: Pick<
      SessionContext,
      'port' | 'limits' | 'memory' | 'allocate' | 'count' | 'violation' | 'breakOff' | 'now'
    >,
  ) {
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

  /**
   * Counts points for useless work that the peer caused. If there are too many in a second, ends
   * the connection with a `flood` and returns false.
   */
  abused(points = USELESS): boolean {
    if (this.now - this.#abuseSince >= 1_000) {
      this.#abuseSince = this.now;
      this.#abuses = 0;
    }
    this.#abuses += points;
    if (this.#abuses <= ABUSES) return true;
    this.violation(
      'flood',
      `more than ${ABUSES / USELESS} useless frames a second, or more than ${ABUSES} requests that cannot be served`,
    );
    return false;
  }

  /**
   * Counts a request that was refused although its caller could have known: no method matches it,
   * or it can't be decoded (`points` for its size).
   */
  refused(points = 0): void {
    this.spend(REFUSAL);
    this.abused(1 + points);
  }

  /** Called when a call or message was sent or received. */
  touch(): void {
    this.active = this.now;
  }

  /** Charges work units to the peer. */
  spend(units: number): void {
    this.units -= units;
  }

  hold(bytes: number): void {
    this.held += bytes;
    this.memory.used += bytes;
  }

  free(bytes: number): void {
    this.held -= bytes;
    this.memory.used -= bytes;
  }

  /**
   * Counts an incoming message that waits or is being handled against `limits.memory` and
   * `limits.total`, until `leaves`. A waiting one-way does not count as a call yet.
   */
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

  /** Called when a handler or a reader starts on an incoming message. */
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

  /**
   * Returns what a message counts against `limits.total.bytes`. A long message counts only as a
   * call, because `limits.memory` bounds its bytes.
   */
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
   * True if this connection may open no more calls, because the room left in `limits.total` is not
   * larger than what the connection already holds. So a connection that holds much is refused
   * before the limit is reached, and one that holds nothing is served as long as there is any room.
   */
  get hasTooMany(): boolean {
    return this.calls + this.memory.calls >= this.limits.total.calls || this.hasTooMuch;
  }

  /** The same check for bytes only. */
  get hasTooMuch(): boolean {
    return this.bytes + this.memory.bytes >= this.limits.total.bytes;
  }

  /**
   * Called when the connection is over. Running handlers continue to count until they
   * end; the calls held by readers no longer count, since they need no answer.
   */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.free(this.#reading);
    this.working -= this.#reading;
    this.#count(-this.#readCalls, -this.#readWeight);
  }

  // Incoming long messages.

  /**
   * Registers a long message with the bytes that have arrived and the `ahead` bytes that were
   * allocated before they arrive.
   */
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

  /** Counts further bytes of a long message, which arrive in memory that was allocated for them. */
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

  /** Removes a long message that is complete or was dropped. */
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

  /** The incomplete messages of this connection. */
  get assemblies(): Iterable<Unfinished> {
    return this.#assemblies;
  }

  #restart(): void {
    this.#from = this.#since;
    this.#before = this.#came;
    this.#since = this.now;
    this.#came = 0;
  }

  /** Refuses incomplete messages, of any connection, while `limits.memory` is exceeded. */
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
    for (const each of this.#assemblies)
      if (each !== but && (largest === undefined || each.got > largest.got)) largest = each;
    return largest;
  }

  /**
   * Moves the rate measurement by the `lateness` milliseconds of sleep, in which nothing was read;
   * the sender did not cause that.
   */
  excuse(lateness: number): void {
    this.#since += lateness;
    this.#from += lateness;
  }

  /** Returns true if a long message of `bytes` would have room if nothing else were incomplete. */
  fits(bytes: number): boolean {
    return this.memory.used - this.memory.unfinished + bytes <= this.memory.limit;
  }

  /** Returns true if `bytes` more would exceed `limits.memory`. */
  full(bytes: number): boolean {
    return this.memory.used + bytes > this.memory.limit;
  }
}

/**
 * Returns the error for a call that would have to wait while the transport already holds as much as
 * it may.
 */
export function memoryFull({ used, limit }: MemoryGauge): TransportError {
  return new TransportError(
    'resource_exhausted',
    `limits.memory is reached: ${used} of ${limit} bytes are held, the call was not sent`,
    { sent: false },
  );
}

function slow({ used, limit }: MemoryGauge): string {
  return `limits.memory is reached (${used} of ${limit} bytes are held), and this connection sent less than ${SLOW_RATE} bytes of long messages a second for ${SLOW_TIME / 1_000} s`;
}

/**
 * Bytes that each unit costs its account in addition to its own; bounds the number of empty units
 * (docs/wire-protocol.md §6).
 */
export const UNIT = 64;
/**
 * A sender of long messages below this rate, in bytes a second, is too slow when memory is scarce,
 * if it was that slow for `SLOW_TIME` milliseconds.
 */
const SLOW_RATE = 16 * 1024;
const SLOW_TIME = 10_000;
/**
 * Bytes that a call is assumed to cost besides its payload: our objects and those of its handler.
 */
const CALL = 512;
/**
 * Points a second at which useless work becomes a flood, and the points of a useless frame. A
 * refused request has one point.
 */
const ABUSES = 10_000;
const USELESS = 10;
/** Practically no limit; for a session without a driver that assigns units. */
export const UNBOUNDED = 0x3fff_ffff;
/** The highest value of an account (docs/wire-protocol.md §6). */
export const ACCOUNT_MAX = 0x7fff_ffff;
