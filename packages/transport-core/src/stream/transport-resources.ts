// The parts of a transport that its connections share: TransportResources holds them. Below are the
// ticks of the event loop, the timers for deadlines and for keeping the process alive, the turns of
// the connections, the queue of aborts, the token buckets of limits.rate, and the pool of batch
// buffers. Each part except KeepAlive has a test file of its own: ticker, deadline-timer,
// read-scheduler, abort-queue, token-bucket and buffers. process-end.test.ts of trunkline tests
// KeepAlive.

import { backgroundTimer, type Clock, type ClockTimer, LONGEST_DELAY } from '../clock.ts';
import { type CommonConfig, helloFields } from '../common-options.ts';
import type { TraceChannels } from '../observer.ts';
import type { Random } from '../random.ts';
import { Reporter } from '../rpc/records.ts';
import type { InCall } from '../session/incoming-calls.ts';
import { Memory } from '../session/memory.ts';
import { CANCEL_TOLD, SHARE, TURN } from '../session/session-context.ts';
import { allocate } from '../system-memory.ts';
import { systemClock, systemRandom } from '../system-runtime.ts';
import { FRAME_OVERHEAD } from '../wire/frame.ts';
import type { Membership } from './membership.ts';
import type { StreamLayer } from './stream-layer.ts';

/** The parts of a transport that its connections, its names and its mounts share. */
export abstract class TransportResources {
  readonly layer: StreamLayer;
  readonly config: CommonConfig;
  /** The fields of hellos if the option `hello` is no function. */
  readonly fields: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly ticker: Ticker;
  readonly reporter: Reporter;
  readonly scheduler: ReadScheduler;
  readonly aborts: AbortQueue;
  readonly buffers: BufferPool;
  readonly memory: Memory;
  readonly rates: { readonly send: TokenBuckets; readonly receive: TokenBuckets };
  /** Set by `TransportEngine.join` only. */
  membership: Membership | undefined = undefined;
  /** The timer for everything that a connection or a target waits for. */
  abstract readonly timer: DeadlineTimer;
  abstract readonly state: 'open' | 'closing' | 'closed';
  /**
   * The number of calls that were made here, which is the place of the next one, and of peers'
   * calls that have arrived.
   */
  readonly calls = { made: 0, served: 0 };

  constructor(layer: StreamLayer, config: CommonConfig, channels: TraceChannels | undefined) {
    const { clock = systemClock, random = systemRandom, hello = {}, name } = config;
    this.layer = layer;
    this.config = config;
    // Together they may exceed the limit that each option keeps.
    this.fields =
      typeof hello === 'function' ? {} : helloFields(hello, "options 'hello' and 'name'", name);
    this.clock = clock;
    this.random = random;
    this.ticker = new Ticker(clock, channels, (isTraced) => this.reporter.trace(isTraced));
    const isClosing = () => this.state !== 'open';
    this.reporter = new Reporter(config.observer, channels, clock, this.ticker, isClosing);
    this.scheduler = new ReadScheduler(clock);
    this.aborts = new AbortQueue(this.scheduler);
    // A batch has room for a packet, its headers, and the small frames that are sent with it.
    this.buffers = new BufferPool(config.limits.packet + FRAME_OVERHEAD + 1024);
    this.memory = new Memory(config.limits.memory);
    const { send, receive } = config.limits.rate;
    this.rates = { send: new TokenBuckets(send), receive: new TokenBuckets(receive) };
  }
}

// Divides time into ticks of the event loop, and into events (`run`) within them. The clock is read
// once in each, and at its end each connection writes its output once.

/**
 * An output that is flushed at the end of a tick. It is an object, because a closure for each
 * connection would cost memory.
 */
interface Flushable {
  /** Must not throw, because those behind it would then not be called. */
  flushTick(): void;
}

/** Provides the time of the current tick, and flushes output at its end. */
export class Ticker {
  readonly #clock: Clock;
  readonly #channels: TraceChannels | undefined;
  readonly #traced: ((isTraced: boolean) => void) | undefined;
  #isTraced = false;
  #time = 0;
  /** True if `#time` is the time of the running tick. */
  #fresh = false;
  /** True if `#tick` will run. */
  #scheduled = false;
  /** The depth of nested calls of `run`. */
  #inside = 0;
  #dirty: Flushable[] | undefined = undefined;

  /**
   * @param channels read at the beginning of each tick, if given, because no event reports that a
   *   subscriber was added or removed.
   * @param traced called when the channels of calls get their first subscriber or lose their last.
   */
  constructor(clock: Clock, channels?: TraceChannels, traced?: (isTraced: boolean) => void) {
    this.#clock = clock;
    this.#channels = channels;
    this.#traced = traced;
  }

  /** Returns the time of this tick in milliseconds. Outside of `run`, it may begin a tick. */
  now(): number {
    if (!this.#fresh) {
      this.#begin();
      this.#schedule();
    }
    return this.#time;
  }

  /** Begins a tick or an event: reads the clock. */
  #begin(): void {
    this.#time = this.#clock.now();
    this.#fresh = true;
    if (this.#channels === undefined) return;
    const { call, handle } = this.#channels;
    const isTraced = call.hasSubscribers === true || handle.hasSubscribers === true;
    if (isTraced === this.#isTraced) return;
    this.#isTraced = isTraced;
    this.#traced?.(isTraced);
  }

  /**
   * Schedules a call to `flushTick` at the end of this tick. Each call schedules another one, so
   * the caller avoids repetitions.
   */
  touch(flushable: Flushable): void {
    if (this.#dirty === undefined) this.#dirty = [flushable];
    else this.#dirty.push(flushable);
    if (this.#inside === 0) this.#schedule();
  }

  /**
   * Handles an event: reads the clock again, runs `work`, and flushes the output as soon as it
   * returns. Inside another event, it only runs `work`.
   */
  run<T>(work: (now: number) => T): T {
    this.enter();
    try {
      return work(this.#time);
    } finally {
      this.leave();
    }
  }

  /** The first half of `run`, for the hottest path. `leave` must always be called afterwards. */
  enter(): number {
    if (this.#inside++ === 0) this.#begin();
    return this.#time;
  }

  leave(): void {
    if (--this.#inside > 0) return;
    this.#flush();
    if (!this.#scheduled) this.#fresh = false;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.defer(this.#tick);
  }

  readonly #tick = (): void => {
    if (!this.#fresh) this.#begin();
    this.#scheduled = false;
    this.#flush();
    this.#fresh = false;
  };

  #flush(): void {
    // Objects that become dirty during a flush are flushed in the next round, until none are left.
    while (this.#dirty !== undefined) {
      const dirty = this.#dirty;
      this.#dirty = undefined;
      for (const flushable of dirty) flushable.flushTick();
    }
  }
}

// One timer for everything that a transport waits for, set to the earliest due time. A timer for
// each call would cost a quarter of the throughput. It does not keep the process alive; KeepAlive
// does. `PeersDriver` and `GossipDriver` have one each, too.

/**
 * Calls `ring` at the earliest requested time; `ring` returns the next one. If the timer is late by
 * more than half a second, the process was asleep, so `excuse` is called, and `ring` a millisecond
 * later.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #ring: (now: number) => number;
  readonly #excuse: (lateness: number) => void;
  #due = Number.POSITIVE_INFINITY;
  #timer: ClockTimer = undefined;
  #stopped = false;

  /**
   * @param ring does everything that is due, and returns the next due time.
   * @param excuse receives the milliseconds for which the process slept: peers' silence during that
   * time does not count.
   */
  constructor(clock: Clock, ring: (now: number) => number, excuse: (lateness: number) => void) {
    this.#clock = clock;
    this.#ring = ring;
    this.#excuse = excuse;
  }

  /** Makes the timer ring at `time` or earlier. */
  by(time: number): void {
    if (time < this.#due && !this.#stopped) this.#arm(time);
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #arm(time: number): void {
    if (this.#due !== Number.POSITIVE_INFINITY) this.#clock.clearTimeout(this.#timer);
    const now = this.#clock.now();
    // A time that was already past when it was requested is not a sign of sleep.
    this.#due = Math.max(time, now);
    this.#timer = backgroundTimer(this.#clock, this.#fire, this.#due - now);
  }

  readonly #fire = (): void => {
    const now = this.#clock.now();
    const lateness = now - this.#due;
    this.#due = Number.POSITIVE_INFINITY;
    if (lateness > LATE) {
      // Input that arrived during the sleep is read before the timer's next turn, and only then are
      // peers judged.
      this.#excuse(lateness);
      return this.by(now + 1);
    }
    this.by(this.#ring(now));
  };
}

/**
 * The lateness in milliseconds above which this process is assumed to have slept. `LATE` of
 * peers-driver.ts depends on it.
 */
const LATE = 500;

// Keeps the process alive while something of a transport is under way: calls in flight, callers of
// `writable`, holds, connections that it leaves, and closing. The deadline timer, and idle
// connections that were dialed only to make calls, let the process end.

/** Holds a timer while there is a reason to stay alive. Without `Clock.ref` it does nothing. */
export class KeepAlive {
  readonly #clock: Clock;
  #reasons = 0;
  #timer: ClockTimer = undefined;
  /** Set while the timer is about to be dropped: a timer for each call would slow down calls. */
  #ending: ClockTimer = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a reason to stay alive; `leave` must follow. */
  enter(): void {
    if (this.#reasons++ === 0)
      this.#timer ??= this.#clock.ref && this.#clock.setTimeout(() => {}, LONGEST_DELAY);
  }

  /** Takes back one `enter`. */
  leave(): void {
    if (--this.#reasons > 0 || this.#ending !== undefined || this.#timer === undefined) return;
    this.#ending = this.#clock.setTimeout(this.#end, PAUSE);
  }

  /**
   * Stays alive until a promise is settled.
   * @param isLast true if nothing follows, because the transport is then closed.
   */
  during<T>(promise: Promise<T>, isLast = false): Promise<T> {
    this.enter();
    return promise.finally(() => (isLast ? this.#stop() : this.leave()));
  }

  #stop(): void {
    this.#reasons = 0;
    this.#clock.clearTimeout(this.#ending);
    this.#end();
  }

  readonly #end = (): void => {
    this.#ending = undefined;
    if (this.#reasons > 0) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  };
}

/** The milliseconds without a reason after which the process may end. */
const PAUSE = 20;

// Shares the processor among the connections of one transport, by the work units that their peers
// cost (session-context.ts). A connection that has spent its units is not read further until the
// others have been served.

/** An input or output of a connection, or the queue of aborts, that waits for its next turn. */
export interface ScheduledReader {
  /** Called when it may spend `ReadScheduler.allowance` units again. It may wait once more. */
  goOn(): void;
}

/**
 * Counts the work units that all connections use in a turn. A turn ends when the event loop has
 * read the waiting input. The end is requested only when much was read or written or something
 * waits for it, so on an idle transport, counting a chunk costs only an addition. At the end of a
 * turn, waiting connections continue in the order in which they began to wait, as many as one turn
 * has units for. They share these units, so that a connection that seldom waits is not delayed by a
 * whole turn of every other connection.
 */
export class ReadScheduler {
  /** The number of the current turn. */
  number = 0;
  /**
   * The units of a turn: half as many if several readers (connections or the queue of aborts) spent
   * units in the last one, because one then waits for the other.
   */
  units = TURN;
  /** The units that one connection may spend in this turn. */
  allowance = TURN;
  #spent = 0;
  /** The connection that has spent units in this turn, and whether others have, too. */
  #reader: ScheduledReader | undefined = undefined;
  #isShared = false;
  /** True if the end of this turn has been requested. */
  #ending = false;
  #timer: ClockTimer = undefined;
  readonly #waiting = new Set<ScheduledReader>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records units that a connection has spent. */
  spend(units: number, reader: ScheduledReader): void {
    this.#spent += units;
    this.#reader ??= reader;
    if (this.#reader !== reader) this.#isShared = true;
    if (this.#spent < this.units / 2) return;
    this.endTurn();
    if (this.#spent >= 2 * this.units) this.allowance = SHARE;
  }

  /** Makes a connection that has spent its units wait for a later turn. */
  wait(connection: ScheduledReader): void {
    this.#waiting.add(connection);
    this.endTurn();
  }

  /** Removes a connection that has ended. */
  leave(connection: ScheduledReader): void {
    this.#waiting.delete(connection);
    if (this.#reader === connection) this.#reader = undefined;
  }

  /** Cancels the timer and forgets waiting connections, because the transport is closed. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  /** Ends the turn as soon as the event loop has read the input that waits. */
  endTurn(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#clock.turn !== undefined) this.#clock.turn(this.#next);
    else this.#timer = this.#clock.setTimeout(this.#next, 0);
  }

  readonly #next = (): void => {
    this.#ending = false;
    this.number++;
    this.#spent = 0;
    this.units = this.#isShared ? TURN / 2 : TURN;
    this.#reader = undefined;
    this.#isShared = false;
    let left = this.#waiting.size;
    this.allowance = left < 2 ? this.units : Math.max(SHARE, Math.floor(this.units / left));
    for (const connection of this.#waiting) {
      if (left-- === 0 || this.#spent >= this.units) break;
      this.#waiting.delete(connection);
      connection.goOn();
    }
    this.allowance = this.#spent >= 2 * this.units ? SHARE : this.units;
    if (this.#waiting.size > 0) this.endTurn();
  };
}

// AbortQueue notifies handlers that their caller is gone. When a connection with thousands of calls
// ends, each handler with a signal costs as much as hundreds of frames, so handlers are notified
// over several turns.

/**
 * Owns the calls of one transport that have lost their connection and whose handlers were not
 * notified yet. Their number is bounded by the number of calls that may be handled at the same
 * time.
 */
export class AbortQueue implements ScheduledReader {
  readonly #calls: InCall[] = [];
  readonly #scheduler: ReadScheduler;

  constructor(scheduler: ReadScheduler) {
    this.#scheduler = scheduler;
  }

  /** Notifies the handlers of these calls: now, or in later turns if there are many. */
  add(calls: readonly InCall[]): void {
    if (calls.length === 0) return;
    const isIdle = this.#calls.length === 0;
    for (const call of calls) this.#calls.push(call);
    if (isIdle) this.goOn();
  }

  /** Notifies as many handlers as one turn has units for. */
  goOn(): void {
    const told = this.#calls.slice(0, this.#scheduler.units / CANCEL_TOLD);
    this.#scheduler.spend(told.length * CANCEL_TOLD, this);
    // The handler may have ended in the meantime.
    for (const call of told) if (call.running !== 0) call.tell();
    // Removed only now, because a handler may cause `add`.
    this.#calls.splice(0, told.length);
    if (this.#calls.length > 0) this.#scheduler.wait(this);
  }

  /** Notifies all remaining handlers immediately, because the transport is closed. */
  finish(): void {
    while (this.#calls.length > 0) this.goOn();
    this.#scheduler.leave(this);
  }
}

// A token bucket for limits.rate: bytes per second, with bursts of up to one second's worth.

/** A token bucket with a capacity of one second. */
export class TokenBucket {
  readonly #rate: number;
  #tokens: number;
  #last: number;

  /** @param rate bytes per second. */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#tokens = rate;
    this.#last = now;
  }

  /**
   * Spends `bytes`, even more than there are tokens. Returns the number of milliseconds until more
   * may be spent; 0 if the tokens were enough.
   */
  take(bytes: number, now: number): number {
    this.#tokens =
      Math.min(this.#rate, this.#tokens + ((now - this.#last) * this.#rate) / 1_000) - bytes;
    this.#last = now;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1_000) / this.#rate);
  }
}

/**
 * The token buckets of one direction. A peer that proves its id has one for all its connections,
 * also for those that it opens later, until its id is forgotten (`MOST`).
 */
export class TokenBuckets {
  readonly #rate: number | undefined;
  /** The buckets of proven ids; the id whose last connection opened first is forgotten first. */
  readonly #byNode = new Map<string, TokenBucket>();

  /** @param rate bytes per second; undefined if there is no limit. */
  constructor(rate: number | undefined) {
    this.#rate = rate;
  }

  /** Returns the bucket of a new connection; undefined if there is no limit. */
  of(nodeId: string | undefined, now: number): TokenBucket | undefined {
    if (this.#rate === undefined) return undefined;
    if (nodeId === undefined) return new TokenBucket(this.#rate, now);
    const bucket = this.#byNode.get(nodeId) ?? new TokenBucket(this.#rate, now);
    this.#byNode.delete(nodeId);
    this.#byNode.set(nodeId, bucket);
    const [oldest] = this.#byNode.keys();
    if (this.#byNode.size > MOST) this.#byNode.delete(oldest!);
    return bucket;
  }
}

/** Maximum number of ids: the default of `limits.connections`. */
const MOST = 16_384;

// A pool of batch buffers, shared by all connections of a transport. A buffer is returned once it
// has been written, or once its connection has ended unless the stream still keeps it.

/** A pool of buffers of one size. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];
  /** The size of a buffer in bytes. */
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  /**
   * Returns a buffer of at least `size` bytes, with arbitrary content. A buffer that is larger than
   * those of the pool has exactly `size` bytes and is not kept later. This is a property because
   * encoders receive it as a function.
   */
  readonly take = (size: number): Uint8Array =>
    size <= this.size ? (this.#free.pop() ?? allocate(this.size)) : allocate(size);

  /**
   * Returns a buffer to the pool; it must not be used or returned again after that. Ignores
   * undefined, buffers of another size, and more than KEPT of them.
   */
  give(buffer: Uint8Array | undefined): void {
    if (buffer !== undefined && buffer.length === this.size && this.#free.length < KEPT)
      this.#free.push(buffer);
  }
}

/** Maximum number of free buffers that are kept; further ones are left to the garbage collector. */
const KEPT = 32;
