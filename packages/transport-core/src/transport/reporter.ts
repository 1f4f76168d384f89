// Reports calls, dials, handshakes and gossip messages to the observer and to tracing channels. If
// nobody listens, nothing is measured.

import type {
  CallRecord,
  DeliveryRecord,
  DialRecord,
  HandshakeRecord,
  PublishRecord,
} from '../call-record.ts';
import type { Clock } from '../clock.ts';
import type { TransportError } from '../errors.ts';
import type { Observer } from '../observer.ts';
import type { Remote } from '../remote.ts';
import type { CallWatch } from '../rpc/call-watch.ts';
import type { TraceChannel, TraceChannels } from '../trace-channels.ts';

/** The transport as its reporter sees it. */
interface ReportedTransport {
  readonly mounts: ReadonlyMap<unknown, { watchBy(watch: CallWatch | undefined): void }>;
  readonly clock: Pick<Clock, 'now'>;
  /** Returns the time of this tick. */
  now(): number;
}

/** A connection whose handshake has ended. */
interface Greeted {
  readonly endpoint: string;
  readonly direction: 'in' | 'out';
  readonly remote: Remote | undefined;
  readonly since: number;
}

/** The observer and the tracing channels of one transport. */
export class Reporter implements CallWatch {
  /** This reporter while calls are observed; otherwise undefined. */
  watch: CallWatch | undefined;
  readonly #observer: Observer;
  readonly #channels: TraceChannels | undefined;
  readonly #transport: ReportedTransport;
  /** The time that `readNow` returned last. */
  #read = Number.NEGATIVE_INFINITY;

  constructor(
    observer: Observer | undefined,
    channels: TraceChannels | undefined,
    transport: ReportedTransport,
  ) {
    this.#observer = observer ?? {};
    this.#channels = channels;
    this.#transport = transport;
    this.watch = this.#isHeard ? this : undefined;
  }

  get now(): number {
    return Math.max(this.#transport.now(), this.#read);
  }

  readNow(): number {
    return (this.#read = this.#transport.clock.now());
  }

  // Calls.

  get #isHeard(): boolean {
    const { callStarted, callEnded, handlerStarted, handlerEnded } = this.#observer;
    if ((callStarted ?? callEnded ?? handlerStarted ?? handlerEnded) !== undefined) return true;
    return (
      this.#channels !== undefined &&
      (this.#channels.call.hasSubscribers || this.#channels.handle.hasSubscribers)
    );
  }

  /**
   * Finds out whether the channels of calls have subscribers. Called at the beginning of each tick,
   * because no event reports that a subscriber was added or removed.
   */
  look(): void {
    const isHeard = this.#isHeard;
    if (isHeard === (this.watch !== undefined)) return;
    this.watch = isHeard ? this : undefined;
    for (const mount of this.#transport.mounts.values()) mount.watchBy(this.watch);
  }

  begin(record: CallRecord): TraceChannel | undefined {
    const isClient = record.side === 'client';
    try {
      if (isClient) this.#observer.callStarted?.(record);
      else this.#observer.handlerStarted?.(record);
    } catch {
      // An observer must not throw; its errors are ignored.
    }
    if (this.#channels === undefined) return undefined;
    const channel = isClient ? this.#channels.call : this.#channels.handle;
    return channel.hasSubscribers ? channel : undefined;
  }

  end(record: CallRecord): void {
    const isClient = record.side === 'client';
    try {
      if (isClient) this.#observer.callEnded?.(record);
      else this.#observer.handlerEnded?.(record);
    } catch {
      // An observer's errors are ignored here, too.
    }
    if (this.#channels === undefined) return;
    const channel = isClient ? this.#channels.call : this.#channels.handle;
    if (channel.hasSubscribers) channel.settled(record);
  }

  // Connections.

  /** Performs a dial and reports it. */
  dial<C extends { readonly remote: Remote | undefined }>(
    target: string,
    work: () => Promise<C>,
  ): Promise<C> {
    const channel = this.#channels?.dial;
    if (this.#observer.dialEnded === undefined && channel?.hasSubscribers !== true) return work();
    const startedAt = this.now;
    const record: Writable<DialRecord> = {
      target,
      startedAt,
      duration: 0,
      remote: undefined,
      error: undefined,
    };
    return this.#operation(channel, record, work, (connection) => {
      record.remote = connection?.remote;
      this.#tell('dialEnded', record);
    });
  }

  handshakeEnded(connection: Greeted, error: TransportError | undefined): void {
    if (this.#observer.handshakeEnded === undefined) return;
    const { endpoint, direction, remote, since } = connection;
    const duration = this.now - since;
    this.#tell('handshakeEnded', { endpoint, direction, duration, remote, error });
  }

  // Gossip.

  /** Publishes a gossip message and reports it. */
  publish<T>(topic: string, bytes: number, work: () => Promise<T>): Promise<T> {
    const channel = this.#channels?.publish;
    const startedAt = this.now;
    const record: Writable<PublishRecord> = {
      topic,
      bytes,
      startedAt,
      duration: 0,
      error: undefined,
    };
    return this.#operation(channel, record, work, () => this.#tell('publishEnded', record));
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
    this.#tell('delivered', record);
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

  #tell(
    hook: 'dialEnded' | 'handshakeEnded' | 'publishEnded' | 'delivered',
    record: DialRecord | HandshakeRecord | PublishRecord | DeliveryRecord,
  ): void {
    try {
      this.#observer[hook]?.(record as never);
    } catch {
      // An observer's errors are ignored here, too.
    }
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
