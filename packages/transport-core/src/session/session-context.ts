// The state that all parts of one session share: the time, the terms with the peer, and the peer's
// cost in work and in memory. SessionContext depends on no part. Below it are the costs in work
// units, and Liveness, the part that decides when to ping a silent peer.
//
// The context owns these figures. The driver (`ConnectionInput`) sets the work units of each turn,
// and every part reports work. The context ends the connection when the peer breaks the rules or
// costs too much. It also records since when the peer has read nothing; Session disconnects such a
// peer. Tested in work.test.ts, outbox.test.ts and liveness.test.ts.

import type { CommonConfig } from '../common-options.ts';
import { reasonError, type TransportError } from '../errors.ts';
import type { TransportCounter } from '../observer.ts';
import type { Random } from '../random.ts';
import type { Remote } from '../remote.ts';
import type { HelloLimits } from '../wire/hello.ts';
import { type Memory, type MemoryOwner, MemoryUsage } from './memory.ts';

/**
 * The limits of a session; `LimitOptions` describes them. Limits that the peer must know are sent
 * in HELLO.
 */
export type SessionLimits = Pick<
  CommonConfig['limits'],
  'message' | 'item' | 'packet' | 'calls' | 'streams' | 'inbound' | 'total' | 'outbound' | 'credit'
>;

/**
 * The interface through which a session uses its driver. It is an interface because
 * `ConnectionOutput`, which implements it, is in a higher layer.
 */
export interface SessionPort {
  /**
   * Passes the batch to the connection. Returns false if nothing more may be written until
   * `Session.drained()` is called.
   */
  flush(): boolean;
  /**
   * Requests `Session.tick` at the end of this tick, because something waits in the batch or in the
   * lanes, or there may be room for what waits elsewhere.
   */
  dirty(): void;
  /** Requests `Session.wake` at this time or earlier. Only `SessionContext.wakeBy` calls it. */
  wakeBy(time: number): void;
  /**
   * Closes the connection gracefully. `flush` must come first: only a batch that is held back is
   * still written, within a second.
   */
  close(): void;
  /** Closes the connection immediately. */
  destroy(error: TransportError): void;
}

/** The parts of a context that the options of its session provide. */
export type ContextInit = Readonly<
  Pick<SessionContext, 'port' | 'limits' | 'memory' | 'allocate' | 'freeMemory' | 'count'>
> & {
  /** Gives the time of the transport's present tick. */
  readonly ticker: { now(): number };
};

/** The state that the parts of a session share. */
export class SessionContext implements MemoryOwner {
  /**
   * The limits of this connection, settled from the HELLOs of both ends. Before the peer's HELLO,
   * they are our own, without credit.
   *
   * - `packet`, `calls` (our open calls on a channel) and `streams` (open streaming calls on the
   *   connection): the smaller limit of the two ends. A message of more than `packet` bytes counts
   *   as long.
   * - `message` and `item`: the maximum sizes that the peer accepts, in bytes.
   * - `inbox` and `stream`: the initial credit of our accounts with the peer, in bytes.
   */
  terms: Readonly<Omit<HelloLimits, 'pipe'>>;
  /** The peer; undefined before its HELLO was accepted. */
  remote: Remote | undefined = undefined;
  /** Bytes by which the pipe's window has grown. The windows of streams follow it. */
  grown = 0;
  /** The time at which a call or message was last sent or received. */
  active: number;
  /** The latest time at which the connection needs `wake`. */
  due = Number.POSITIVE_INFINITY;
  /**
   * The number of work units that the peer may still use. The driver sets them before each chunk
   * (`grant`), each frame takes at least one, and the session stops reading after the frame that
   * leaves none. Always within V8's range of small integers, so that it needs no heap allocation.
   * Between two reads only `spend` may change them: ConnectionInput, which begins with the same
   * number, charges the peer for the difference.
   */
  units = UNBOUNDED;
  /**
   * The time at which the connection stopped taking our batch, and the time at which the pipe ran
   * out of credit. Infinity while the connection takes batches, or the pipe has credit.
   */
  readonly #stuckSince = { batch: Number.POSITIVE_INFINITY, pipe: Number.POSITIVE_INFINITY };
  #abuses = 0;
  #abuseSince = 0;
  readonly #ticker: ContextInit['ticker'];
  readonly port: SessionPort;
  readonly limits: SessionLimits;
  /** The memory of the transport. */
  readonly memory: Memory;
  /** The memory that this connection holds. */
  readonly usage: MemoryUsage;
  readonly allocate: (size: number) => Uint8Array;
  /** Frees memory that was allocated here and that is no longer used. */
  readonly freeMemory: (memory: Uint8Array) => void;
  readonly count: (counter: TransportCounter, amount: number) => void;
  /** Ends the connection with a GO_AWAY that carries this error. */
  readonly breakOff: (error: TransportError) => void;

  constructor(init: ContextInit, breakOff: SessionContext['breakOff']) {
    this.port = init.port;
    this.limits = init.limits;
    this.memory = init.memory;
    this.usage = new MemoryUsage(init.memory, this);
    this.allocate = init.allocate;
    this.freeMemory = init.freeMemory;
    this.count = init.count;
    this.breakOff = breakOff;
    this.#ticker = init.ticker;
    this.active = this.now;
    const { message, item, packet, calls, streams } = init.limits;
    this.terms = { message, item, packet, calls, streams, inbox: 0, stream: 0 };
  }

  /** The time of this tick. */
  get now(): number {
    return this.#ticker.now();
  }

  /**
   * Requests that `Session.wake` be called at this time or earlier. Each wake-up drops all
   * requests, so a time limit must also be in what `Session.wake` returns.
   */
  wakeBy(time: number): void {
    if (time >= this.due) return;
    this.due = time;
    this.port.wakeBy(time);
  }

  /** Records that the driver wakes the connection at this time, whatever was requested. */
  wakesAt(time: number): void {
    this.due = time;
  }

  /**
   * Called when a connection is up, once for each batch with messages that is sent and each chunk
   * with short messages that was read, and for each item that was received.
   */
  touch(): void {
    this.active = this.now;
  }

  /** Sets the peer, as its calls report it. */
  meet(remote: Remote): void {
    this.remote = remote;
  }

  /** Merges the limits in the peer's HELLO with our own. */
  settle(peer: HelloLimits): void {
    const { message, item, inbox, stream } = peer;
    const packet = Math.min(this.terms.packet, peer.packet);
    const calls = Math.min(this.terms.calls, peer.calls);
    const streams = Math.min(this.terms.streams, peer.streams);
    this.terms = { message, item, packet, calls, streams, inbox, stream };
  }

  /** Sets the number of bytes by which the pipe's window has grown. */
  grow(bytes: number): void {
    this.grown = bytes;
  }

  /** Ends the connection, because the peer broke the protocol. The session is closed afterwards. */
  violation(message: string, reason?: Offense): void {
    this.breakOff(protocolError(message, reason));
  }

  // A peer that does not read.

  /**
   * Called with true while the connection does not take our batch, or the pipe has no credit
   * although it had some or a message needs it. Called with false when that ends, or the peer has
   * granted any credit; this is soon if the peer reads.
   */
  stuck(on: 'batch' | 'pipe', isStuck: boolean): void {
    if (!isStuck) this.#stuckSince[on] = Number.POSITIVE_INFINITY;
    else if (this.#stuckSince[on] === Number.POSITIVE_INFINITY) {
      this.#stuckSince[on] = this.now;
      this.wakeBy(this.now + STUCK);
    }
  }

  /** The time at which the peer is disconnected if it still has not read anything. */
  get stuckAt(): number {
    return Math.min(this.#stuckSince.batch, this.#stuckSince.pipe) + STUCK;
  }

  /** Extends the timeouts by `lateness` milliseconds; see `Session.excuse`. */
  excuse(lateness: number): void {
    this.#stuckSince.batch += lateness;
    this.#stuckSince.pipe += lateness;
    this.usage.excuse(lateness);
  }

  /** Restarts the timeouts because our own rate limit, not the peer, holds everything back. */
  heldBack(now: number): void {
    for (const on of ['batch', 'pipe'] as const)
      if (this.#stuckSince[on] !== Number.POSITIVE_INFINITY) this.#stuckSince[on] = now;
  }

  // The peer's work.

  /** Sets the work units that the peer may use in this turn; Session sets 0 when it has ended. */
  grant(units: number): void {
    this.units = units;
  }

  /** Charges work units to the peer. */
  spend(units: number): void {
    this.units -= units;
  }

  /** Charges one frame to the peer. Returns true if units are left, so the next one may be read. */
  spendFrame(): boolean {
    return --this.units > 0;
  }

  /**
   * Counts points for useless work that the peer caused. If there are too many within a second,
   * ends the connection with a `flood` and returns false.
   */
  abused(points = USELESS): boolean {
    if (this.now - this.#abuseSince >= 1_000) {
      this.#abuseSince = this.now;
      this.#abuses = 0;
    }
    this.#abuses += points;
    if (this.#abuses <= ABUSES) return true;
    const text = `more than ${ABUSES / USELESS} useless frames a second, or more than ${ABUSES} requests that cannot be served`;
    this.violation(text, 'flood');
    return false;
  }

  /**
   * Counts a refused call that its caller should not have made: no method or reader fits it, it is
   * not allowed, or it can't be decoded (`points` depends on its size).
   */
  refused(points = 0): void {
    this.spend(REFUSAL);
    this.abused(1 + points);
  }
}

/** The reasons with which a connection ends because the peer broke the protocol. */
type Offense = 'malformed' | 'too_large' | 'flood';

/** Returns the error for a peer that broke the protocol. */
export function protocolError(message: string, reason: Offense = 'malformed'): TransportError {
  return reasonError(reason, `the peer broke the protocol: ${message}`);
}

/**
 * The number of points per second above which useless work is a flood, and the points of a useless
 * frame. A refused request counts one point, or more if its codec refuses it (below).
 */
const ABUSES = 10_000;
const USELESS = 10;
/**
 * Duration, in milliseconds, after which a peer is disconnected because the connection has flushed
 * nothing or the exhausted pipe has received no credit.
 */
export const STUCK = 10_000;
/**
 * A practically unlimited number of units, for a session whose driver assigns none, and for what is
 * left to read when the stream has ended.
 */
export const UNBOUNDED = 0x3fff_ffff;

// The cost of a peer's input in work units (docs/wire-protocol.md §9). Unlike time, they are the
// same on every machine and in a simulation. One unit is the cost of the smallest frame, 0.05 to
// 0.2 µs on a machine of 2023.

/**
 * The number of units that a connection may use in one turn before others are served; half of it
 * while several connections are read. docs/limits.md repeats TURN and SHARE.
 */
export const TURN = 4_096;
/**
 * The number of units that a connection may use once all connections together have used two turns:
 * enough for a connection that makes a few calls.
 */
export const SHARE = 512;

/**
 * The cost of each chunk that is read, in units, in addition to one for each KiB of it and one for
 * each of its frames. A WebSocket message of one byte takes 1 to 2 µs, most of it in `ws`.
 */
export const CHUNK = 16;
export const CHUNK_SHIFT = 10;
/**
 * The cost, in units, of a request or one-way that a reader takes: the call, and the minimum cost
 * of its handler and its answer. Its frame costs one more, so at most 455 calls of one chunk,
 * TURN / (HANDED + 1), are handed over as they are read; the rest of the chunk waits for a later
 * turn. Calls that waited for a reader, or that EarlyCancels held back, are handed over at once,
 * and later turns pay for them.
 */
export const HANDED = 8;
/**
 * The cost, in units, of a refused request: its ERROR with the text, and the counter; and of a
 * one-way or a long request for a channel without a protocol, whose credit is returned at once.
 */
export const REFUSAL = 8;
/**
 * The cost of decoding a request: one unit for each 16 bytes, or none with the codec `bytes`. The
 * densest legal messages (a list of empty messages as protobuf) cost up to fifty times as much.
 */
export const DECODED_SHIFT = 4;
/**
 * The cost, in units, of a request that its codec refuses, in addition to one unit for each byte or
 * to `workOf` its error, if that is more, because schemas spend a lot of time on input that they
 * refuse. The request takes about 20 µs, and V8 copies its errors until the answer has left: with
 * 64 units, such a flood delayed others by a tenth more. The request also counts one flood point
 * for each 64 of these bytes or units.
 */
export const UNDECODABLE = 256;
export const UNDECODABLE_SHIFT = 6;
/**
 * The costs, in units, of a canceled call; of one whose handler was started for nothing: its
 * promise, its place in tables, and usually a timer; and of one whose handler uses its signal,
 * because each of the signal's listeners is called. CANCEL_TOLD must be at most TURN / 2, or
 * AbortQueue would never tell anybody.
 */
export const CANCEL = 16;
export const CANCEL_RUNNING = 64;
export const CANCEL_TOLD = 256;
/**
 * The cost, in units, of a call whose handler uses its signal: the signal, and usually a timer and
 * a listener.
 */
export const SIGNAL = 256;
/**
 * The cost of metadata and lists of protocols, which are read field by field: one unit for each 8
 * bytes.
 */
export const FIELDS_SHIFT = 3;

// Liveness decides whether the peer is alive (docs/wire-protocol.md §9).
//
// It owns the times at which the peer was last heard and last pinged. The session reports input to
// it and asks it what is due.

/**
 * The times after which a silent peer is pinged, and then disconnected; `KeepAliveOptions`
 * describes them.
 */
export type KeepAlive = CommonConfig['keepAlive'];

/** Decides whether the peer is alive and when to send a PING. */
export class Liveness {
  /** The last measured round trip in milliseconds; undefined before the first one. */
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
   * Returns the nonce of a PING to send now. Call it only if none is outstanding (`asks`). Nonces
   * stay below 2^31 like call ids: V8 stores larger numbers on the heap, and an id field that may
   * hold either kind would always be on the heap.
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
   * Returns the time of the next check. If a PING is outstanding (`asks`), a peer from which
   * nothing at all has arrived by then, not even a PONG, is dead. Otherwise, a PING is due then.
   * @param active the time of the last message.
   */
  due(active: number): number {
    const { interval, timeout } = this.#keepAlive;
    // A PING that only measures the round trip is sent early; the peer may nevertheless be silent
    // for the whole interval.
    if (this.asks) return Math.max(this.#pinged, this.#received + interval) + timeout;
    // A busy connection is measured once in an interval. Otherwise, only silence needs a PING.
    const last = active > this.#pinged ? this.#pinged : Math.max(this.#received, this.#pinged);
    return last + interval;
  }

  /**
   * Accounts for `lateness` milliseconds, for which the peer is not to blame; see `Session.excuse`.
   */
  excuse(lateness: number): void {
    this.#received += lateness;
    if (this.#nonce !== 0) this.#pinged += lateness;
  }
}
