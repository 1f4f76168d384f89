// One end of a connection that a TransitWatch watches: it counts the bytes and keeps the states
// from which the watch determines whether anything is on its way.

import { type Clock, systemClock, type TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamSink } from '@trunkline/transport-core/backend';

/** Both ends of a connection; `far` is the accepted end, and undefined until it is known. */
export interface Path {
  readonly near: WatchedConnection;
  far: WatchedConnection | undefined;
}

export class WatchedConnection implements StreamConnection {
  readonly clock: Clock | undefined;
  readonly ref: StreamConnection['ref'];
  /** The real time at which something last happened here. */
  movedAt: number = systemClock.now();
  readonly #inner: StreamConnection;
  #written = 0;
  #received = 0;
  #isPaused = false;
  #isEnding = false;
  #isOver = false;

  /** @param clock the clock of the layer. */
  constructor(inner: StreamConnection, clock: Clock | undefined) {
    this.#inner = inner;
    this.ref = inner.ref?.bind(inner);
    this.clock = clock;
  }

  get endpoint(): string {
    return this.#inner.endpoint;
  }

  get nodeId(): string | undefined {
    return this.#inner.nodeId;
  }

  get binding(): Uint8Array | undefined {
    return this.#inner.binding;
  }

  get refused(): TransportError | undefined {
    return this.#inner.refused;
  }

  get attachment(): object | undefined {
    return this.#inner.attachment;
  }

  get reuses(): boolean | undefined {
    return this.#inner.reuses;
  }

  /** True once the connection was destroyed here, or has reported its end. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Returns true while anything is on its way between the two ends. */
  isBusyWith(far: WatchedConnection | undefined): boolean {
    if (far === undefined) return !this.#isOver;
    return this.#isOwed(far) || far.#isOwed(this);
  }

  /** Returns true while this end still has to report an action of the other end. */
  #isOwed(other: WatchedConnection): boolean {
    if (this.#isOver || this.#isPaused) return false;
    if (other.#isOver || other.#isEnding) return true;
    return !this.#isEnding && this.#received < other.#written;
  }

  /** Writes the number by which the other end finds this one; call it before any `write`. */
  announce(id: number): void {
    const bytes = new Uint8Array(ID_SIZE);
    new DataView(bytes.buffer).setUint32(0, id);
    this.#inner.write(bytes);
  }

  attach(sink: StreamSink): void {
    this.#inner.attach(this.observing(sink));
  }

  /** Returns a sink that counts, and passes all reports on except `leave`. */
  protected observing(sink: StreamSink): StreamSink {
    return {
      copies: sink.copies,
      data: (chunk) => {
        this.#received += chunk.length;
        this.#moved();
        return sink.data(chunk);
      },
      frames: (batch) => sink.frames(batch),
      drained: () => sink.drained(),
      revoked: (error) => (sink.revoked === undefined ? this.destroy(error) : sink.revoked(error)),
      closed: (error) => {
        this.#isOver = true;
        this.#moved();
        sink.closed(error);
      },
    };
  }

  write(chunk: Uint8Array): boolean {
    if (!this.#isEnding && !this.#isOver) this.#written += chunk.length;
    this.#moved();
    return this.#inner.write(chunk);
  }

  pause(): void {
    this.#isPaused = true;
    this.#inner.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#moved();
    this.#inner.resume();
  }

  close(): void {
    this.#isEnding = true;
    this.#isPaused = false;
    this.#moved();
    this.#inner.close();
  }

  destroy(error?: TransportError): void {
    this.#isOver = true;
    this.#moved();
    this.#inner.destroy(error);
  }

  protected get isPaused(): boolean {
    return this.#isPaused;
  }

  #moved(): void {
    this.movedAt = systemClock.now();
  }
}

/** An accepted connection, which is handed over once the dialer's number has arrived. */
export class ArrivingConnection extends WatchedConnection {
  readonly #inner: StreamConnection;
  readonly #handOver: (id: number | undefined, connection: ArrivingConnection) => void;
  /**
   * The bytes received before `attach`; until the dialer's number is complete, they begin with it.
   */
  #early: Uint8Array = new Uint8Array();
  #isHandedOver = false;
  #end: { readonly error: TransportError | undefined } | undefined;
  #sink: StreamSink | undefined;

  /**
   * @param handOver receives the number, or undefined if the connection ended before the number
   * arrived.
   */
  constructor(
    inner: StreamConnection,
    clock: Clock | undefined,
    handOver: (id: number | undefined, connection: ArrivingConnection) => void,
  ) {
    super(inner, clock);
    this.#inner = inner;
    this.#handOver = handOver;
    inner.attach({
      data: (chunk) => this.#arrived(chunk),
      frames: () => {},
      drained: () => this.#sink?.drained(),
      revoked: (error) => (this.#sink?.revoked ?? ((why) => this.destroy(why)))(error),
      closed: (error) => this.#ended(error),
    });
  }

  override attach(sink: StreamSink): void {
    const observing = this.observing(sink);
    (this.clock ?? systemClock).defer(() => {
      this.#sink = observing;
      if (this.#early.length > 0 && !this.isOver) observing.data(this.#early);
      if (this.#end !== undefined) observing.closed(this.#end.error);
      else if (!this.isPaused) this.#inner.resume();
    });
  }

  #arrived(chunk: Uint8Array): boolean | void {
    if (this.#sink !== undefined) return this.#sink.data(chunk);
    this.#early = joined(this.#early, chunk);
    if (this.#isHandedOver || this.#early.length < ID_SIZE) return;
    const id = new DataView(this.#early.buffer).getUint32(0);
    this.#early = this.#early.slice(ID_SIZE);
    this.#isHandedOver = true;
    this.#inner.pause();
    this.#handOver(id, this);
  }

  #ended(error: TransportError | undefined): void {
    if (this.#sink !== undefined) return this.#sink.closed(error);
    this.#end = { error };
    if (this.#isHandedOver) return;
    this.#isHandedOver = true;
    this.#early = new Uint8Array();
    this.#handOver(undefined, this);
  }
}

function joined(one: Uint8Array, two: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + two.length);
  both.set(one);
  both.set(two, one.length);
  return both;
}

const ID_SIZE = 4;
