// One end of a connection in this process. What it carries is the subclasses' affair: bytes, or frames as they are.

import { type Clock, reasonError, type StreamConnection, type StreamSink, type Timer, type TransportError } from '@trunkline/transport-core';
import { Direct, type Line, type LineEnd } from './line.ts';
import { Turns } from './turns.ts';

/**
 * Behaves as a socket does: what is put waits at the other end until that reads; too much of it stops the writer; an end in order
 * comes behind what was put, a cut before it. Nothing is reported inside a call: all of it on a turn of its own.
 */
export abstract class MemoryConnection<Unit> implements StreamConnection, LineEnd<Unit> {
  readonly endpoint: string;
  private readonly clock: Clock;
  private readonly turns: Pick<Turns, 'run' | 'stop'>;
  private readonly capacity: number;
  /** The way to the other end. */
  private line: Line<Unit> | undefined;
  private state: 'open' | 'closing' | 'over' = 'open';
  private sink: StreamSink | undefined;
  private error: TransportError | undefined;
  /** What came and was not read yet, from `head` on. */
  private inbox: Unit[] = [];
  private head = 0;
  private size = 0;
  private paused = false;
  /** The other end writes no more. */
  private finished = false;
  /** What this end put and the other has not read. */
  private unread = 0;
  /** This end's last write was false. */
  private waiting = false;
  private drained = false;
  private discarded = 0;
  private scheduled = false;
  private timer: Timer | undefined;

  /**
   * @param capacity how much may wait unread before a write is false.
   * @param turns where its turns come from.
   */
  constructor(endpoint: string, clock: Clock, capacity: number, turns: Pick<Turns, 'run' | 'stop'> = new Turns(clock)) {
    this.endpoint = endpoint;
    this.clock = clock;
    this.turns = turns;
    this.capacity = capacity;
  }

  /** Makes two ends one connection, over lines that a network may lay between them. */
  static join<Unit>(
    one: MemoryConnection<Unit>,
    other: MemoryConnection<Unit>,
    lineTo: (end: MemoryConnection<Unit>, from: MemoryConnection<Unit>) => Line<Unit> = (end) => new Direct(end),
  ): void {
    one.line = lineTo(other, one);
    other.line = lineTo(one, other);
  }

  /** It is over: what still comes is for nobody. */
  get over(): boolean {
    return this.state === 'over';
  }

  /** Its writer waits for `drained`. */
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
    this.timer = this.clock.setTimeout(() => this.end(this.reset('the other end did not end within a second')), LINGER);
    this.schedule();
  }

  destroy(error?: TransportError): void {
    const wasOpen = this.state === 'open';
    this.end(error);
    if (wasOpen) this.line?.cut();
  }

  /** Gives the other end something to read. False: there is too much of it, and `drained` will follow. */
  protected put(unit: Unit): boolean {
    if (this.state !== 'open' || this.line === undefined) return true;
    this.unread += this.sizeOf(unit);
    this.line.put(unit);
    this.waiting = this.unread > this.capacity;
    return !this.waiting;
  }

  // What the line brings.

  arrive(unit: Unit): void {
    if (this.state === 'over') return this.line?.cut();
    this.inbox.push(unit);
    this.size += this.sizeOf(unit);
    this.schedule();
  }

  finish(): void {
    this.finished = true;
    this.schedule();
  }

  cut(): void {
    this.end(this.reset('the other end broke it off'));
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
    this.turns.run(this.turn);
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
    // A half-closed connection serves nothing: this end ends too.
    if (this.state === 'open') this.line?.finish();
    this.end(undefined);
  };

  private read(): void {
    const sink = this.sink;
    const before = this.size;
    while (this.state === 'open' && sink !== undefined && !this.paused && this.head < this.inbox.length) {
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
    this.end(this.reset('the other end went on writing'));
    this.line?.cut();
  }

  private compact(): void {
    if (this.head === 0) return;
    this.inbox = this.inbox.slice(this.head);
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
    this.turns.stop();
    sink.closed(this.error);
  }

  private forget(): void {
    this.inbox = [];
    this.head = 0;
    this.size = 0;
  }

  private reset(what: string): TransportError {
    return reasonError('reset', `Connection with ${this.endpoint}: ${what}`, { target: this.endpoint });
  }
}

/** How long an end waits for the other's, in milliseconds, and how many bytes it discards meanwhile (docs/wire-protocol.md §8). */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
