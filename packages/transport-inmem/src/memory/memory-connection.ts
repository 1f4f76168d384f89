// One end of a connection within this process, for `transport-inmem` and the simulation. It owns
// the unread data and the state of its end. It calls its sink and its line, which leads to the
// other end; the other end's line calls `arrive`, `finish`, `cut` and `acknowledge`. One subclass
// carries bytes, the other frames. Tested in stream-layer.test.ts and stream/inmem-streams.test.ts.

import type { Clock, ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  backgroundTimer,
  type StreamConnection,
  type StreamSink,
  stackless,
} from '@trunkline/transport-core/backend';
import { type Frame, FrameCollector } from '@trunkline/transport-core/internal';
import { type CallbackRunner, EndOfTick } from './end-of-tick.ts';
import { DirectLine, type MemoryLine, type MemoryLineEnd } from './line.ts';

/**
 * Behaves like a socket: data waits at the other end until it is read, and too much unread data
 * stops the writer. A regular close arrives after all data, a reset ahead of unread data. No method
 * calls the sink itself: the CallbackRunner does so after the call has returned.
 */
export abstract class MemoryConnection<Unit> implements StreamConnection, MemoryLineEnd<Unit> {
  readonly endpoint: string;
  private readonly clock: Clock;
  private readonly callbacks: CallbackRunner;
  private readonly capacity: number;
  /** The line to the other end. */
  private line: MemoryLine<Unit> | undefined;
  private state: 'open' | 'closing' | 'over' = 'open';
  private sink: StreamSink | undefined;
  private error: TransportError | undefined;
  /** Data that has arrived and was not read yet, from index `head` on. */
  private inbox: Unit[] = [];
  private head = 0;
  private size = 0;
  private paused = false;
  /** Whether the other end has finished writing. */
  private finished = false;
  /** Amount of data that this end has written and the other end has not read. */
  private unread = 0;
  /** Whether this end's last write returned false, so that its writer waits for `drained`. */
  private waiting = false;
  private drained = false;
  private discarded = 0;
  private scheduled = false;
  private timer: ClockTimer | undefined;

  /**
   * @param capacity the amount of unread data, in bytes, above which a write returns false.
   * @param callbacks runs the callbacks of this end. An EndOfTick must not be shared.
   */
  constructor(
    endpoint: string,
    clock: Clock,
    capacity: number,
    callbacks: CallbackRunner = new EndOfTick(clock),
  ) {
    this.endpoint = endpoint;
    this.clock = clock;
    this.callbacks = callbacks;
    this.capacity = capacity;
  }

  /**
   * Joins two new ends into one connection, before either is used; `lineTo` may put a network
   * between them.
   */
  static join<Unit>(
    one: MemoryConnection<Unit>,
    other: MemoryConnection<Unit>,
    lineTo: (end: MemoryConnection<Unit>, from: MemoryConnection<Unit>) => MemoryLine<Unit> = (
      end,
    ) => new DirectLine(end),
  ): void {
    one.line = lineTo(other, one);
    other.line = lineTo(one, other);
  }

  /** Whether the writer waits for `drained`; for the simulation. */
  get blocked(): boolean {
    return this.waiting;
  }

  abstract write(chunk: Uint8Array): boolean;
  protected abstract sizeOf(unit: Unit): number;
  protected abstract deliver(sink: StreamSink, unit: Unit): void;

  attach(sink: StreamSink): void {
    this.sink = sink;
    this.schedule();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.schedule();
  }

  close(): void {
    if (this.state !== 'open') return;
    this.state = 'closing';
    this.line?.finish();
    this.timer = backgroundTimer(
      this.clock,
      () => this.end(this.reset('the other end did not close within a second')),
      LINGER,
    );
    this.schedule();
  }

  destroy(error?: TransportError): void {
    const wasOpen = this.state === 'open';
    this.end(error);
    if (wasOpen) this.line?.cut();
  }

  /**
   * Sends data to the other end. Returns false if too much of it is unread; `drained` follows
   * later.
   */
  protected put(unit: Unit): boolean {
    if (this.state !== 'open' || this.line === undefined) return true;
    this.unread += this.sizeOf(unit);
    this.line.put(unit);
    this.waiting = this.unread > this.capacity;
    return !this.waiting;
  }

  // Calls from the line.

  arrive(unit: Unit): void {
    if (this.state === 'over') return this.line?.cut();
    // A list of one, because the first `push` into an empty array takes memory for 17.
    if (this.inbox.length === 0) this.inbox = [unit];
    else this.inbox.push(unit);
    this.size += this.sizeOf(unit);
    this.schedule();
  }

  finish(): void {
    this.finished = true;
    this.schedule();
  }

  cut(): void {
    // Late data from the other end is answered with resets, so an end that has ended may get many.
    if (this.state !== 'over') this.end(this.reset('the other end reset the connection'));
  }

  acknowledge(size: number): void {
    this.unread -= size;
    if (!this.waiting || this.unread > this.capacity / 2) return;
    this.waiting = false;
    this.drained = true;
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.callbacks.run(this.turn);
  }

  private readonly turn = (): void => {
    this.scheduled = false;
    if (this.state === 'over') return this.report();
    if (this.drained) {
      this.drained = false;
      this.sink?.drained();
    }
    this.read();
    if (!this.finished || this.inbox.length > 0) return;
    // A half-closed connection is of no use, so this end closes too.
    if (this.state === 'open') this.line?.finish();
    this.end(undefined);
  };

  private read(): void {
    const sink = this.sink;
    const before = this.size;
    while (
      this.state === 'open' &&
      sink !== undefined &&
      !this.paused &&
      this.head < this.inbox.length
    ) {
      const unit = this.inbox[this.head++]!;
      this.size -= this.sizeOf(unit);
      this.deliver(sink, unit);
    }
    if (this.state === 'over') return;
    if (this.state === 'closing') {
      this.discarded += this.size;
      this.forget();
    } else this.compact();
    if (before > this.size) this.line?.acknowledge(before - this.size);
    if (this.discarded <= DISCARD) return;
    this.end(this.reset('the other end continued to write'));
    this.line?.cut();
  }

  private compact(): void {
    if (this.head === 0) return;
    this.inbox = this.head === this.inbox.length ? [] : this.inbox.slice(this.head);
    this.head = 0;
  }

  private end(error: TransportError | undefined): void {
    if (this.state === 'over') return;
    this.state = 'over';
    this.error = error;
    if (this.timer !== undefined) this.clock.clearTimeout(this.timer);
    this.forget();
    this.line?.ended();
    this.schedule();
  }

  private report(): void {
    const sink = this.sink;
    if (sink === undefined) return;
    this.sink = undefined;
    this.callbacks.stop();
    sink.closed(this.error);
  }

  private forget(): void {
    this.inbox = [];
    this.head = 0;
    this.size = 0;
  }

  private reset(what: string): TransportError {
    return stackless('unavailable', `Connection with ${this.endpoint}: ${what}`, {
      reason: 'reset',
      target: this.endpoint,
    });
  }
}

/** One end of a connection that carries bytes. */
export class ByteConnection extends MemoryConnection<Uint8Array> {
  override write(chunk: Uint8Array): boolean {
    // A copy, so that the writer may reuse its memory, and neither end sees changes by the other.
    return chunk.length === 0 || this.put(new Uint8Array(chunk));
  }

  protected override sizeOf(chunk: Uint8Array): number {
    return chunk.length;
  }

  protected override deliver(sink: StreamSink, chunk: Uint8Array): void {
    sink.data(chunk);
  }
}

/**
 * One end of a connection without bytes. Its unit is the batch of frames that a session wrote
 * together. Frames have no size here, so the capacity and DISCARD never apply; the credit of the
 * session limits unread frames.
 */
export class FrameConnection extends MemoryConnection<Frame[]> {
  readonly frames: { readonly collector: FrameCollector; send(batch: Frame[]): void };

  constructor(endpoint: string, clock: Clock, callbacks?: CallbackRunner) {
    super(endpoint, clock, Number.POSITIVE_INFINITY, callbacks);
    this.frames = { collector: new FrameCollector(), send: (batch) => void this.put(batch) };
  }

  override write(): boolean {
    return true;
  }

  protected override sizeOf(): number {
    return 0;
  }

  protected override deliver(sink: StreamSink, batch: Frame[]): void {
    sink.frames(batch);
  }
}

/**
 * The duration, in milliseconds, for which a closing end waits for the other end, and the number of
 * bytes that it discards meanwhile; if more arrive, it resets the connection
 * (docs/wire-protocol.md §8).
 */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
