// One direction of a faulty connection: cargo leaves in order, but it may leave late, altered, or
// not at all.

import type { Clock, ClockTimer, Random } from '@trunkline/transport-core';
import type { Frame } from '@trunkline/transport-core/internal';
import { type FaultSettings, isInert, NO_FAULTS } from './faults.ts';

/**
 * The cargo of a direction: bytes, frames, the end of the direction, or the position at which the
 * connection is cut at random.
 */
export type Cargo = Uint8Array | Frame[] | 'end' | 'cut';

/**
 * The random source of each kind of fault. With a common one, the size of the chunks would
 * determine which kind draws first, and so which bytes are altered.
 */
export type LaneRandom = Readonly<Record<(typeof RANDOM_FAULTS)[number], Random>>;

export const RANDOM_FAULTS = ['jitter', 'stall', 'cut', 'corrupt'] as const;

export interface LaneHost {
  readonly clock: Clock;
  readonly random: LaneRandom;
  /**
   * Hands over cargo that has arrived. Returns false if the receiver takes nothing more until `go`.
   */
  deliver(cargo: Cargo): boolean;
  /** Reports that the waiting bytes fit into the window again. */
  room(): void;
}

interface Item {
  readonly cargo: Cargo;
  readonly size: number;
  due: number;
}

export class Lane {
  #settings: FaultSettings = NO_FAULTS;
  #isInert = true;
  readonly #host: LaneHost;
  readonly #queue: Item[] = [];
  /**
   * The number of bytes that wait, and the number of bytes that a half-open direction has dropped.
   */
  #waiting = 0;
  #swallowed = 0;
  /** The time when the last cargo is due, and the time when the bandwidth is free again. */
  #lastDue = 0;
  #freeAt = 0;
  /** True if the receiver takes nothing until `go` is called. */
  #blocked = false;
  /** True if `room` must be called. */
  #wasFull = false;
  #running = false;
  /** True once a random cut was delivered: nothing leaves after it. */
  #isCut = false;
  #timer: ClockTimer | undefined = undefined;
  /** The number of bytes until the next random fault of each kind. */
  #toStall = Number.POSITIVE_INFINITY;
  #toCut = Number.POSITIVE_INFINITY;
  #toCorrupt = Number.POSITIVE_INFINITY;
  /** True if anything was dropped. */
  lost = false;

  constructor(host: LaneHost, settings: FaultSettings) {
    this.#host = host;
    this.change(settings);
  }

  /** True if cargo that enters now passes unchanged and immediately. */
  get isClear(): boolean {
    return this.#isInert && this.#queue.length === 0 && !this.#blocked;
  }

  get isFull(): boolean {
    return this.#waiting + this.#swallowed > this.#settings.window;
  }

  get isStopped(): boolean {
    return this.#settings.stalled || this.#settings.halfOpen;
  }

  get isSwallowing(): boolean {
    return this.#settings.halfOpen;
  }

  /** The time by which all waiting cargo leaves, if nothing else holds it up; never in the past. */
  get lastDue(): number {
    const now = this.#host.clock.now();
    return this.#queue.length === 0 ? now : Math.max(this.#lastDue, now);
  }

  change(settings: FaultSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    this.#isInert = isInert(settings);
    const { stallEvery, cutEvery, corruptEvery } = settings;
    if (stallEvery !== before.stallEvery) this.#toStall = this.#draw('stall', stallEvery);
    if (cutEvery !== before.cutEvery) this.#toCut = this.#draw('cut', cutEvery);
    if (corruptEvery !== before.corruptEvery) this.#toCorrupt = this.#draw('corrupt', corruptEvery);
    if (this.#queue.length === 0) return;
    if (this.isFull) this.#wasFull = true;
    this.#hasten();
    this.#host.clock.defer(() => this.#run());
  }

  /** Takes a chunk, which then belongs to the lane. */
  enterChunk(chunk: Uint8Array): void {
    let left = chunk;
    if (this.#settings.halfOpen) return this.#swallow(chunk.length);
    if (this.#toCut <= left.length) {
      left = left.subarray(0, this.#toCut - 1);
      this.#toCut = Number.POSITIVE_INFINITY;
      if (left.length > 0) this.#enter(this.#corrupted(left), left.length);
      return this.#enter('cut', 0);
    }
    this.#toCut -= left.length;
    this.#enter(this.#corrupted(left), left.length);
  }

  /** Takes a batch, which then belongs to the lane. A random cut drops the whole batch. */
  enterFrames(batch: Frame[]): void {
    let size = 0;
    for (const frame of batch) size += frame.length;
    if (this.#settings.halfOpen) return this.#swallow(size);
    const isCut = this.#toCut <= size;
    this.#toCut = isCut ? Number.POSITIVE_INFINITY : this.#toCut - size;
    this.#enter(isCut ? 'cut' : batch, size);
  }

  enterEnd(): void {
    if (this.#settings.halfOpen) return this.#swallow(0);
    this.#enter('end', 0);
  }

  /** Continues after `block`, and after a `deliver` that returned false. */
  go(): void {
    if (this.#isCut) return;
    this.#blocked = false;
    this.#run();
  }

  /** Delivers nothing until `go` is called. */
  block(): void {
    this.#blocked = true;
  }

  /** Discards the waiting cargo. */
  clear(): void {
    this.#queue.length = 0;
    this.#waiting = 0;
    this.#stopTimer();
  }

  #swallow(size: number): void {
    this.#swallowed += size;
    this.lost = true;
  }

  #enter(cargo: Cargo, size: number): void {
    const { clock, random } = this.#host;
    const { delay, jitter, bandwidth, stallTime, stallEvery } = this.#settings;
    const now = clock.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (size / bandwidth) * 1_000;
    let due = Math.max(
      this.#freeAt + delay + (jitter > 0 ? jitter * random.jitter() : 0),
      this.#lastDue,
    );
    for (
      this.#toStall -= size;
      this.#toStall <= 0;
      this.#toStall += this.#draw('stall', stallEvery)
    )
      due += stallTime;
    this.#lastDue = due;
    this.#waiting += size;
    this.#queue.push({ cargo, size, due });
    // Cargo that is already due leaves immediately, so that a lane without a delay adds none.
    if (due <= now && this.#queue.length === 1) this.#run();
    else this.#schedule();
    if (this.isFull) this.#wasFull = true;
  }

  /**
   * Reschedules waiting cargo as if it entered now, so that a line that has become faster carries
   * it sooner.
   */
  #hasten(): void {
    const { delay, bandwidth } = this.#settings;
    let last = this.#host.clock.now();
    this.#freeAt = last;
    for (const item of this.#queue) {
      this.#freeAt += (item.size / bandwidth) * 1_000;
      item.due = Math.max(Math.min(item.due, this.#freeAt + delay), last);
      last = item.due;
    }
    this.#lastDue = last;
  }

  /**
   * Returns a copy with altered bytes if random corruption strikes within the chunk, otherwise the
   * chunk itself.
   */
  #corrupted(chunk: Uint8Array): Uint8Array {
    let altered: Uint8Array | undefined;
    while (this.#toCorrupt <= chunk.length) {
      altered ??= new Uint8Array(chunk);
      altered[this.#toCorrupt - 1]! ^= 1 + Math.floor(this.#host.random.corrupt() * 255);
      this.#toCorrupt += this.#draw('corrupt', this.#settings.corruptEvery);
    }
    this.#toCorrupt -= chunk.length;
    return altered ?? chunk;
  }

  /**
   * Draws the number of bytes until a fault that strikes every `mean` bytes on average
   * (exponential, at least 1).
   */
  #draw(fault: keyof LaneRandom, mean: number): number {
    return mean === Number.POSITIVE_INFINITY
      ? mean
      : Math.max(1, Math.round(-Math.log(1 - this.#host.random[fault]()) * mean));
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    const { clock } = this.#host;
    while (!this.#blocked && !this.#settings.stalled) {
      const item = this.#queue[0];
      if (item === undefined || item.due > clock.now()) break;
      this.#queue.shift();
      this.#waiting -= item.size;
      if (item.cargo === 'cut' && !this.#settings.halfOpen) this.#isCut = true;
      if (this.#settings.halfOpen) this.#swallow(item.size);
      else if (!this.#host.deliver(item.cargo)) this.#blocked = true;
    }
    this.#running = false;
    this.#schedule();
    if (!this.#wasFull || this.isFull) return;
    this.#wasFull = false;
    this.#host.room();
  }

  #schedule(): void {
    this.#stopTimer();
    const item = this.#queue[0];
    if (item === undefined || this.#blocked || this.#settings.stalled) return;
    const { clock } = this.#host;
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, item.due - clock.now());
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#host.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
