// Reads the input of one connection as far as its work units for this turn go, and keeps the rest
// until its next turn (read-scheduler.ts).

import type { Session } from '../session/session.ts';
import { UNBOUNDED } from '../session/session-context.ts';
import { CHUNK, CHUNK_SHIFT, TURN } from '../session/work.ts';
import type { Frame } from '../wire/frame.ts';
import { Backlog } from './backlog.ts';
import type { ReadScheduler, ScheduledReader } from './read-scheduler.ts';
import type { Ticker } from './ticker.ts';

/** The connection whose input is read. */
export interface Reading {
  /** True if its chunks arrive in memory that will be reused. */
  readonly copies: boolean;
  readonly session: Session;
  /** True if its session is over. */
  readonly over: boolean;
  pauseReading(): void;
  resumeReading(): void;
  /** Reports that the peer's input has to wait because it cost too much. */
  slowed(): void;
}

/** The input of one connection, in turns. */
export class ConnectionInput implements ScheduledReader {
  /**
   * The work units that the peer has cost in turn `#turn`, plus the debt from earlier turns. Each
   * new turn reduces the debt by TURN units.
   */
  #spent = 0;
  #turn = 0;
  /** The time at which it began to wait for its next turn; Infinity if it does not wait. */
  #since = Number.POSITIVE_INFINITY;
  #backlog: Backlog | undefined = undefined;
  readonly #reading: Reading;
  readonly #scheduler: ReadScheduler;
  readonly #ticker: Ticker;

  constructor(reading: Reading, scheduler: ReadScheduler, ticker: Ticker) {
    this.#reading = reading;
    this.#scheduler = scheduler;
    this.#ticker = ticker;
  }

  get waits(): boolean {
    return this.#since !== Number.POSITIVE_INFINITY;
  }

  /** Reads a chunk. Returns true if nobody keeps any part of it. */
  bytes(now: number, chunk: Uint8Array): boolean {
    // (A paused connection may still deliver a chunk that it had read before.)
    if (!this.waits) return this.#read(now, chunk);
    this.#spend(CHUNK);
    return this.#keep(chunk);
  }

  frames(now: number, batch: readonly Frame[]): void {
    if (this.waits) this.#keepFrames(batch);
    else this.#readFrames(now, batch);
  }

  /** Continues, because its turn has come. */
  goOn(): void {
    if (this.#unitsLeft() <= 0) return this.#scheduler.wait(this);
    this.#ticker.run((now) => {
      this.excuse(now);
      this.#since = Number.POSITIVE_INFINITY;
      const backlog = this.#backlog;
      this.#backlog = undefined;
      if (backlog?.frames !== undefined) this.#readFrames(now, backlog.frames);
      else if (backlog !== undefined) this.#read(now, backlog.bytes);
      if (!this.waits) this.#reading.resumeReading();
    });
  }

  /** Excuses the peer's silence if its input was not read for long. */
  excuse(now: number): void {
    const waited = now - this.#since;
    // Short waits are not excused, because an excuse spoils the running measurement.
    if (!(waited >= LONG)) return;
    this.#reading.session.excuse(waited);
    this.#since = now;
  }

  /** Reads the remaining input, a chunk at most, because the stream has ended. */
  finish(now: number): void {
    const backlog = this.#backlog;
    this.stop();
    if (backlog === undefined) return;
    const { session } = this.#reading;
    session.context.units = UNBOUNDED;
    if (backlog.frames !== undefined) session.receiveFrames(now, backlog.frames);
    else session.receive(now, backlog.bytes);
  }

  /** Drops the remaining input, because the connection is over. */
  stop(): void {
    this.#scheduler.leave(this);
    this.#backlog = undefined;
  }

  #read(now: number, chunk: Uint8Array): boolean {
    const { session } = this.#reading;
    const units = this.#unitsLeft();
    session.context.units = units - CHUNK - (chunk.length >> CHUNK_SHIFT);
    const isDone = session.receive(now, chunk);
    if (this.#isWithin(units)) return isDone;
    const { unread } = session;
    this.#wait(now);
    return unread.length === 0 ? isDone : this.#keep(unread);
  }

  #readFrames(now: number, batch: readonly Frame[]): void {
    const { session } = this.#reading;
    const units = this.#unitsLeft();
    session.context.units = units - CHUNK;
    const read = session.receiveFrames(now, batch);
    if (this.#isWithin(units)) return;
    this.#wait(now);
    if (read < batch.length) this.#keepFrames(batch.slice(read));
  }

  #unitsLeft(): number {
    const { number, allowance } = this.#scheduler;
    if (this.#turn !== number)
      this.#spent = Math.max(this.#spent - (number - this.#turn) * TURN, 0);
    this.#turn = number;
    return allowance - this.#spent;
  }

  /**
   * Records the units that were spent out of `units`. Returns true if some are left, or if the
   * session is over.
   */
  #isWithin(units: number): boolean {
    const { session, over } = this.#reading;
    const { units: left } = session.context;
    this.#spend(units - left);
    return left > 0 || over;
  }

  #spend(units: number): void {
    this.#spent += units;
    this.#scheduler.spend(units);
  }

  #wait(now: number): void {
    this.#since = now;
    this.#reading.pauseReading();
    this.#scheduler.wait(this);
  }

  #keep(bytes: Uint8Array): false {
    this.#keeper().add(bytes, this.#reading.copies);
    return false;
  }

  #keepFrames(batch: readonly Frame[]): void {
    this.#keeper().addFrames(batch);
  }

  #keeper(): Backlog {
    if (this.#backlog === undefined) {
      this.#backlog = new Backlog();
      this.#reading.slowed();
    }
    return this.#backlog;
  }
}

/** The wait, in milliseconds, from which a peer's silence is excused. */
const LONG = 500;
