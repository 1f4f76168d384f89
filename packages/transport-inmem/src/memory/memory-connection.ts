// One end of a connection in this process. What it carries is the subclasses' affair: bytes, or frames as they are.

import { type Clock, reasonError, type StreamConnection, type StreamSink, type Timer, type TransportError } from '@trunkline/transport-core';
import { Turns } from './turns.ts';

/**
 * Behaves as a socket does: what is put waits at the other end until that reads; too much of it stops the writer; an end in order
 * comes behind what was put, a cut before it. Nothing is reported inside a call: all of it on a turn of its own.
 */
export abstract class MemoryConnection<Unit> implements StreamConnection {
  readonly endpoint: string;
  private readonly clock: Clock;
  private readonly turns: Turns;
  private readonly capacity: number;
  private peer: MemoryConnection<Unit> | undefined;
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
  /** This end's last write was false. */
  private waiting = false;
  private drained = false;
  private discarded = 0;
  private scheduled = false;
  private timer: Timer | undefined;

  /** @param capacity how much may wait unread before a write is false. */
  constructor(endpoint: string, clock: Clock, capacity: number) {
    this.endpoint = endpoint;
    this.clock = clock;
    this.turns = new Turns(clock);
    this.capacity = capacity;
  }

  /** Makes two ends one connection. */
  static join<Unit>(one: MemoryConnection<Unit>, other: MemoryConnection<Unit>): void {
    one.peer = other;
    other.peer = one;
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
    this.peer?.finish();
    this.timer = this.clock.setTimeout(() => this.end(this.reset('the other end did not end within a second')), LINGER);
    this.schedule();
  }

  destroy(error?: TransportError): void {
    const wasOpen = this.state === 'open';
    this.end(error);
    if (wasOpen) this.peer?.cut();
  }

  /** Gives the other end something to read. False: there is too much of it, and `drained` will follow. */
  protected put(unit: Unit): boolean {
    const peer = this.peer;
    if (this.state !== 'open' || peer === undefined) return true;
    if (peer.state === 'over') {
      this.cut();
      return true;
    }
    peer.inbox.push(unit);
    peer.size += this.sizeOf(unit);
    peer.schedule();
    this.waiting = peer.size > peer.capacity;
    return !this.waiting;
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
    const peer = this.peer;
    if (peer?.waiting && this.size <= this.capacity / 2) {
      peer.waiting = false;
      peer.drained = true;
      peer.schedule();
    }
    if (!this.finished || this.inbox.length > 0) return;
    // A half-closed connection serves nothing: this end ends too.
    if (this.state === 'open') peer?.finish();
    this.end(undefined);
  };

  private read(): void {
    const sink = this.sink;
    while (this.state === 'open' && sink !== undefined && !this.paused && this.head < this.inbox.length) {
      const unit = this.inbox[this.head++]!;
      this.size -= this.sizeOf(unit);
      this.deliver(sink, unit);
    }
    if (this.state !== 'closing') return this.compact();
    this.discarded += this.size;
    this.forget();
    if (this.discarded <= DISCARD) return;
    this.end(this.reset('the other end went on writing'));
    this.peer?.cut();
  }

  private compact(): void {
    if (this.head === 0) return;
    this.inbox = this.inbox.slice(this.head);
    this.head = 0;
  }

  /** The other end writes no more. */
  private finish(): void {
    this.finished = true;
    this.schedule();
  }

  /** The other end was destroyed. */
  private cut(): void {
    this.end(this.reset('the other end broke it off'));
  }

  private end(error: TransportError | undefined): void {
    if (this.state === 'over') return;
    this.state = 'over';
    this.error = error;
    if (this.timer !== undefined) this.clock.clearTimeout(this.timer);
    this.forget();
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
