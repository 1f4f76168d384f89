// The record of one call for observers, and Reporter, which reports calls, events, dials,
// handshakes and gossip messages to them and keeps the counters. Only calls that somebody observes
// have a record. Tested by observing.test.ts of transport-inmem; tracing channels are tested by
// tracing.test.ts of transport-tcp, and gossip messages by observer.test.ts of gossip.

import type { Clock } from '../clock.ts';
import type { ErrorCode, ErrorReason, TransportError } from '../errors.ts';
import {
  type CallRecord,
  type DeliveryRecord,
  type DialRecord,
  type HandshakeRecord,
  notify,
  type Observer,
  type ObserverEvent,
  type PublishRecord,
  type TraceChannel,
  type TraceChannels,
  type TransportCounter,
} from '../observer.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { CallObserver, InCall } from '../session/incoming-calls.ts';
import type { OutCall } from '../session/outgoing-calls.ts';

/**
 * A record that its call fills in. Most fields are read from the call only when an observer asks
 * for them, because writing them in advance would slow down every call.
 */
abstract class OpenRecord implements CallRecord {
  abstract readonly side: 'client' | 'server';
  abstract readonly target: string | undefined;
  abstract readonly remote: Remote | undefined;
  abstract readonly metadata: Readonly<Record<string, string>> | undefined;
  abstract readonly attempts: number;
  abstract readonly sent: boolean;
  readonly protocol: string;
  readonly startedAt: number;
  queued = 0;
  duration = 0;
  error: TransportError | undefined = undefined;
  bytesSent = 0;
  bytesReceived = 0;
  itemsSent = 0;
  itemsReceived = 0;
  protected readonly watch: Reporter;
  protected isOver = false;

  constructor(watch: Reporter, protocol: string) {
    this.watch = watch;
    this.protocol = protocol;
    this.startedAt = watch.now;
  }

  /** The call as its session sees it. */
  protected abstract readonly call: { readonly method: ProtocolMethod; readonly due: number };

  get method(): string {
    return this.call.method.name;
  }

  get kind(): ProtocolMethod['kind'] {
    return this.call.method.kind;
  }

  get deadline(): number | undefined {
    const { due } = this.call;
    return due === Number.POSITIVE_INFINITY ? undefined : due;
  }

  get code(): ErrorCode | undefined {
    return this.error?.code;
  }

  get reason(): ErrorReason | undefined {
    return this.error?.reason;
  }

  itemSent(bytes: number): void {
    this.itemsSent++;
    this.bytesSent += bytes;
  }

  itemReceived(bytes: number): void {
    this.itemsReceived++;
    this.bytesReceived += bytes;
  }

  /** Ends the record; only the first end counts. */
  end(error: TransportError | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.error = error;
    this.duration = this.endTime() - this.startedAt;
    this.watch.end(this);
  }

  protected endTime(): number {
    return this.watch.now;
  }

  /** Returns the record as plain data, with the endpoint of the remote. */
  toJSON(): object {
    const { side, protocol, method, kind, target, remote, metadata, startedAt, deadline } = this;
    const { queued, attempts, duration, code, reason, error, sent } = this;
    const { bytesSent, bytesReceived, itemsSent, itemsReceived } = this;
    const call = { side, protocol, method, kind, target, remote: remote?.endpoint, metadata };
    const times = { startedAt, deadline, queued, attempts, duration };
    const outcome = { code, reason, message: error?.message, sent };
    return { ...call, ...times, ...outcome, bytesSent, bytesReceived, itemsSent, itemsReceived };
  }

  /** Returns the form that Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    return this.toJSON();
  }
}

// The record of an outgoing call that is observed.

/** An outgoing call as its record sees it. */
type RecordedCall = Pick<OutCall, 'method' | 'due' | 'payload' | 'carrier'> & {
  readonly target: string;
  /** The target as the user gave it. */
  readonly to: string | Remote;
};

/** The record of an outgoing call. */
export class OutgoingRecord extends OpenRecord {
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** Set when the call ends. */
  remote: Remote | undefined = undefined;
  attempts = 0;
  protected readonly call: RecordedCall;

  constructor(
    watch: Reporter,
    protocol: string,
    call: RecordedCall,
    metadata: Readonly<Record<string, string>> | undefined,
  ) {
    super(watch, protocol);
    this.call = call;
    this.metadata = metadata;
    this.bytesSent = call.payload.length;
  }

  get side(): 'client' {
    return 'client';
  }

  get target(): string {
    return this.call.target;
  }

  get sent(): boolean {
    return this.isOver && (this.error === undefined || this.error.sent === true);
  }

  /**
   * Called when the request, or the first packet of the request of a call that streams, has been
   * written. The waiting time of a call that is sent again lasts until the last write.
   */
  written(): void {
    this.queued = this.watch.now - this.startedAt;
    this.attempts++;
  }

  /** Called when the call has settled, before it leaves its connection. */
  settled(error: TransportError | undefined): void {
    const { carrier, to } = this.call;
    this.remote = carrier?.remote ?? (typeof to === 'string' ? undefined : to);
    this.end(error);
  }
}

// The record of an incoming call that is observed.

/** The record of an incoming call. */
export class HandlingRecord extends OpenRecord implements CallObserver {
  protected readonly call: InCall;

  /** Follows the call from now on. Counts the payload, which `call.run` releases later. */
  constructor(watch: Reporter, protocol: string, call: InCall) {
    super(watch, protocol);
    const { queuedAt } = call;
    this.call = call;
    if (queuedAt !== undefined) this.queued = this.startedAt - queuedAt;
    this.bytesReceived = call.payload.length;
    call.observe(this);
  }

  get side(): 'server' {
    return 'server';
  }

  get target(): undefined {
    return undefined;
  }

  get remote(): Remote | undefined {
    return this.call.from;
  }

  get metadata(): Readonly<Record<string, string>> | undefined {
    return this.call.metadata;
  }

  get attempts(): number {
    return 1;
  }

  get sent(): boolean {
    return true;
  }

  answered(bytes: number): void {
    if (this.isOver) return;
    this.bytesSent += bytes;
    this.end(undefined);
  }

  /** A one-way ends only when its reader is done with it. */
  failed(error: TransportError): void {
    if (this.kind === 'oneway') this.error = error;
    else this.end(error);
  }

  left(error: TransportError): void {
    this.end(error);
  }

  protected override endTime(): number {
    return this.watch.readNow();
  }

  done(): void {
    this.end(this.error);
  }
}

// Reports events, calls, dials, handshakes and gossip messages to the observer and to tracing
// channels, and keeps the counters. If nobody listens, no time is measured.

/** The observer, the tracing channels and the counters of one transport. */
export class Reporter {
  /** The number of failed calls made here, by code; counted even if nobody observes calls. */
  readonly errors = new Map<ErrorCode, number>();
  readonly counters = new Map<TransportCounter, number>();
  /** This reporter while calls are observed; otherwise undefined. */
  watch: Reporter | undefined;
  readonly #observer: Observer;
  readonly #channels: TraceChannels | undefined;
  readonly #clock: Clock;
  readonly #ticker: { now(): number };
  readonly #isClosing: () => boolean;
  /** The time that `readNow` returned last. */
  #read = Number.NEGATIVE_INFINITY;

  /**
   * @param ticker returns the time of this tick.
   * @param isClosing returns true once the transport closes.
   */
  constructor(
    observer: Observer | undefined,
    channels: TraceChannels | undefined,
    clock: Clock,
    ticker: { now(): number },
    isClosing: () => boolean,
  ) {
    this.#observer = observer ?? {};
    this.#channels = channels;
    this.#clock = clock;
    this.#ticker = ticker;
    this.#isClosing = isClosing;
    this.watch = this.#observesCalls ? this : undefined;
  }

  /** The time of this tick, or a later time that was read within the tick. */
  get now(): number {
    return Math.max(this.#ticker.now(), this.#read);
  }

  /** Reads the clock now, because a handler may have run for a long time within this tick. */
  readNow(): number {
    return (this.#read = this.#clock.now());
  }

  // Events and counters.

  tell(event: ObserverEvent): void {
    notify(this.#observer, 'event', event);
  }

  count(counter: TransportCounter, amount: number, remote: Remote | undefined): void {
    this.counters.set(counter, (this.counters.get(counter) ?? 0) + amount);
    notify(this.#observer, 'count', counter, amount, remote, this.#isClosing());
  }

  /** Records that a call made here has failed. */
  callFailed(code: ErrorCode): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  // Calls.

  get #observesCalls(): boolean {
    const { callStarted, callEnded, handlerStarted, handlerEnded } = this.#observer;
    return (callStarted ?? callEnded ?? handlerStarted ?? handlerEnded) !== undefined;
  }

  /**
   * Called when a tick begins, if since the last one the channels of calls have got their first
   * subscriber or lost their last.
   */
  trace(isTraced: boolean): void {
    this.watch = isTraced || this.#observesCalls ? this : undefined;
  }

  /**
   * Reports the start of a call and runs its synchronous part: in its tracing channel, if that has
   * subscribers.
   */
  run<T>(record: CallRecord, work: () => T): T {
    notify(this.#observer, record.side === 'client' ? 'callStarted' : 'handlerStarted', record);
    const channel = this.#channelOf(record);
    return channel === undefined ? work() : channel.run(record, work);
  }

  /** Reports the end of a call. */
  end(record: CallRecord): void {
    notify(this.#observer, record.side === 'client' ? 'callEnded' : 'handlerEnded', record);
    this.#channelOf(record)?.settled(record);
  }

  /** Returns the tracing channel of a call if it has subscribers. */
  #channelOf({ side }: CallRecord): TraceChannel | undefined {
    if (this.#channels === undefined) return undefined;
    const channel = side === 'client' ? this.#channels.call : this.#channels.handle;
    return channel.hasSubscribers ? channel : undefined;
  }

  // Connections.

  /** Performs a dial and reports it. */
  dial<C extends { readonly remote: Remote | undefined }>(
    target: string,
    work: () => Promise<C>,
  ): Promise<C> {
    const channel = this.#channels?.dial;
    if (this.#observer.dialEnded === undefined && channel?.hasSubscribers !== true) return work();
    const record: Writable<DialRecord> = { target, ...this.#begun(), remote: undefined };
    return this.#operation(channel, record, work, (connection) => {
      record.remote = connection?.remote;
      notify(this.#observer, 'dialEnded', record);
    });
  }

  /** Reports the handshake of a connection that was made at the time `since`. */
  handshakeEnded(record: Omit<HandshakeRecord, 'duration'>, since: number): void {
    if (this.#observer.handshakeEnded === undefined) return;
    notify(this.#observer, 'handshakeEnded', { ...record, duration: this.now - since });
  }

  // Gossip.

  /** Publishes a gossip message and reports it. Call it only if `hearsPublications`. */
  publish<T>(topic: string, bytes: number, work: () => Promise<T>): Promise<T> {
    const record: Writable<PublishRecord> = { topic, bytes, ...this.#begun() };
    return this.#operation(this.#channels?.publish, record, work, () =>
      notify(this.#observer, 'publishEnded', record),
    );
  }

  /** True if the messages that this node publishes are observed. */
  get hearsPublications(): boolean {
    return (
      this.#observer.publishEnded !== undefined || this.#channels?.publish.hasSubscribers === true
    );
  }

  /** True if messages from other nodes are observed. */
  get hearsDeliveries(): boolean {
    return this.#observer.delivered !== undefined;
  }

  delivered(record: DeliveryRecord): void {
    notify(this.#observer, 'delivered', record);
  }

  /** The times and the outcome of an operation that begins now. */
  #begun() {
    return { startedAt: this.now, duration: 0, error: undefined };
  }

  /** Performs an operation of a tracing channel. */
  async #operation<T>(
    channel: TraceChannel | undefined,
    record: Writable<DialRecord | PublishRecord>,
    work: () => Promise<T>,
    ended: (result: T | undefined) => void,
  ): Promise<T> {
    let result: T | undefined;
    try {
      result = await (channel?.hasSubscribers === true ? channel.run(record, work) : work());
      return result;
    } catch (error) {
      record.error = error as TransportError;
      throw error;
    } finally {
      record.duration = this.now - record.startedAt;
      ended(result);
      if (channel?.hasSubscribers === true) channel.settled(record);
    }
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
