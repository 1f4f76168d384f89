// Connects a session to a stream and a clock: it passes on input, output and time, and the
// questions that only the transport can answer.

import type { CommonConfig, HelloFields } from '../common-options.ts';
import { type TransportError, withDetails } from '../errors.ts';
import type { Counter } from '../observer.ts';
import { plain } from '../plain.ts';
import type { Random } from '../random.ts';
import type { Remote } from '../remote.ts';
import type { Channel, Mounted } from '../session/channel.ts';
import type { Introduction } from '../session/handshake.ts';
import type { InCall } from '../session/in-call.ts';
import type { Memory } from '../session/memory.ts';
import type { OutCall } from '../session/out-call.ts';
import { Session } from '../session/session.ts';
import type { SessionPort } from '../session/session-context.ts';
import type { SessionVisitor } from '../session/session-options.ts';
import { allocate } from '../system-memory.ts';
import { FrameEncoder } from '../wire/encoder.ts';
import type { Frame, FrameWriter } from '../wire/frame.ts';
import type { FrameCollector } from '../wire/frame-collector.ts';
import type { Hello, HelloProtocol } from '../wire/hello.ts';
import type { BufferPool } from './buffers.ts';
import { ConnectionInput, type Reading } from './connection-input.ts';
import type { Membership } from './membership.ts';
import type { ReadScheduler } from './read-scheduler.ts';
import { LiveRemote, type RemoteLink } from './remote.ts';
import type { HandshakeSlot, StreamConnection, StreamSink } from './stream-layer.ts';
import type { Flushable, Ticker } from './ticker.ts';
import { TokenBucket } from './token-bucket.ts';
import { askAdmit, askHello, mismatch, unreachable } from './user-hooks.ts';

/** The transport as its connections see it. */
export interface ConnectionHost {
  readonly config: CommonConfig;
  readonly membership: Membership | undefined;
  readonly self: Introduction;
  /** The identity for peers that prove no id. */
  readonly selfUnproven: Introduction;
  readonly mounts: ReadonlyMap<number, Mounted>;
  readonly ticker: Ticker;
  readonly scheduler: ReadScheduler;
  readonly buffers: BufferPool;
  readonly memory: Memory;
  readonly random: Random;
  wakeBy(time: number): void;
  count(counter: Counter, amount: number, remote: Remote | undefined): void;
  /** Reports that a callback of the user failed. */
  callbackFailed(callback: string, error: unknown): void;
  incoming(call: InCall): void;
  withdrawn(call: InCall): void;
  roomForReplies(channel: Channel): void;
  up(connection: Connection): void;
  protocolsChanged(connection: Connection): void;
  leaving(connection: Connection, waiting: OutCall[]): void;
  /** Reports that the pipe ran out of credit while long messages wait, or has credit again. */
  crowding(connection: Connection): void;
  /** Reports that the session is over; the stream may still be closing. */
  down(connection: Connection, error: TransportError, unsent: OutCall[]): void;
  /** Reports that the stream is closed and nothing of the connection is left. */
  gone(connection: Connection): void;
}

/** The properties of a new connection. */
export interface ConnectionInit {
  readonly id: string;
  readonly direction: 'in' | 'out';
  /** The dialed target, as written; undefined on an accepted connection. */
  readonly target: string | undefined;
  /** The node id that the caller wants to reach. */
  readonly expected: string | undefined;
  /** The error with which this end refuses the peer, whoever it is. */
  readonly refused: TransportError | undefined;
  /** The handshake slot of an accepted connection. */
  readonly slot: HandshakeSlot | undefined;
}

/** One connection of a transport. */
export class Connection
  implements StreamSink, SessionPort, SessionVisitor, Flushable, RemoteLink, Reading
{
  readonly id: string;
  readonly direction: 'in' | 'out';
  readonly endpoint: string;
  readonly target: string | undefined;
  readonly session: Session;
  readonly since: number;
  readonly copies: boolean;
  /** True if it counts towards limits.connections; refused connections do not. */
  readonly counts: boolean;
  remote: LiveRemote | undefined = undefined;
  /**
   * Called once: without an error when the connection is up, or with the error that prevented it.
   */
  opened: ((error: TransportError | undefined) => void) | undefined = undefined;
  /**
   * The counts start at -0, which V8 keeps as a double. Otherwise it would recompile all code that
   * sees a connection when a count passes 2^31.
   */
  bytesIn = -0;
  bytesOut = -0;
  over = false;
  wasUp = false;
  /** The time at which the connection needs `wake` at the latest. */
  due = Number.POSITIVE_INFINITY;
  #slot: HandshakeSlot | undefined;
  readonly #endings: (() => void)[] = [];
  #ended = false;
  readonly host: ConnectionHost;
  readonly #stream: StreamConnection;
  readonly #encoder: FrameEncoder | undefined;
  readonly #collector: FrameCollector | undefined;
  readonly #expected: string | undefined;
  #kept: Uint8Array | undefined = undefined;
  #flagged = false;
  #closing = false;
  #crowded = false;
  /**
   * The token buckets of limits.rate in both directions, and the times at which an empty bucket has
   * filled again.
   */
  readonly #sendRate: TokenBucket | undefined;
  readonly #receiveRate: TokenBucket | undefined;
  #sendAgain = Number.POSITIVE_INFINITY;
  /**
   * The time until which the last message waits behind a batch that the stream keeps; Infinity if
   * there is none.
   */
  #farewell = Number.POSITIVE_INFINITY;
  #receiveAgain = Number.POSITIVE_INFINITY;
  /** Input that arrived while the connection waited for its turn to shake hands. */
  #parked: (() => void)[] | undefined = undefined;
  readonly #input: ConnectionInput;

  constructor(host: ConnectionHost, stream: StreamConnection, init: ConnectionInit) {
    this.host = host;
    this.#stream = stream;
    this.id = init.id;
    this.direction = init.direction;
    this.target = init.target;
    this.counts = init.refused === undefined;
    this.#expected = init.expected;
    this.endpoint = stream.endpoint;
    this.copies = stream.reuses === true;
    const { config, ticker } = host;
    this.since = ticker.now();
    this.#slot = init.slot;
    const { send, receive } = config.limits.rate;
    this.#sendRate = send === undefined ? undefined : new TokenBucket(send, this.since);
    this.#receiveRate = receive === undefined ? undefined : new TokenBucket(receive, this.since);
    this.#collector = stream.frames?.collector;
    // With a rate limit, a batch is no larger than a packet, because one batch may exceed what the
    // rate allows.
    const gathers = stream.writeAll !== undefined && send === undefined;
    this.#encoder =
      this.#collector === undefined
        ? new FrameEncoder(host.buffers.take, host.buffers.size, gathers)
        : undefined;
    const encoder = this.#encoder;
    this.session = new Session({
      side: init.direction === 'out' ? 'dialer' : 'acceptor',
      visitor: this,
      writer: (this.#collector ?? encoder) as FrameWriter,
      port: this,
      limits: config.limits,
      memory: host.memory,
      allocate,
      count: (counter, amount) => host.count(counter, amount, this.remote),
      self: stream.nodeId === undefined ? host.selfUnproven : host.self,
      proven: stream.nodeId,
      observed: stream.endpoint.slice(0, OBSERVED),
      mounts: host.mounts,
      keepAlive: config.keepAlive,
      idleTimeout: config.idleTimeout,
      // The time that the layer below took, or that was spent waiting for a turn, is subtracted.
      handshakeTimeout: Math.max(
        config.handshakeTimeout - (this.since - (init.slot?.since ?? this.since)),
        0,
      ),
      random: host.random,
      preamble: encoder === undefined ? undefined : () => encoder.preamble(),
      refused: stream.refused ?? init.refused,
      now: this.since,
      isBounded: send !== undefined,
      copies: this.copies,
    });
    this.#input = new ConnectionInput(this, host.scheduler, ticker);
  }

  get rtt(): number | undefined {
    return this.session.liveness.rtt;
  }

  get silence(): number {
    return this.session.liveness.silence(this.host.ticker.now());
  }

  /** Starts the connection: the stream reports from now on, and the dialing end sends its hello. */
  start(): void {
    this.#stream.attach(this);
    if (this.direction === 'in' || this.over) return;
    if (this.#expected !== undefined && this.#stream.nodeId !== this.#expected)
      return this.session.break(mismatch(this.#expected, this.#stream));
    if (this.#stream.refused !== undefined) return this.session.break(this.#stream.refused);
    this.#introduce((fields) => this.session.open(fields));
  }

  // Reports of the stream.

  data(chunk: Uint8Array): boolean {
    if (this.#parked !== undefined) {
      const kept = this.copies ? chunk.slice() : chunk;
      this.#parked.push(() => this.data(kept));
      return false;
    }
    const { ticker } = this.host;
    const now = ticker.enter();
    try {
      this.bytesIn += chunk.length;
      const isDone = this.#input.bytes(now, plain(chunk));
      if (this.#receiveRate !== undefined)
        this.#receiveLater(this.#receiveRate.take(chunk.length, now), now);
      return isDone;
    } finally {
      ticker.leave();
    }
  }

  frames(batch: Frame[]): void {
    if (this.#parked !== undefined) return void this.#parked.push(() => this.frames(batch));
    let bytes = 0;
    for (const frame of batch) bytes += frame.length;
    this.bytesIn += bytes;
    this.host.ticker.run((now) => {
      this.#input.frames(now, batch);
      if (this.#receiveRate !== undefined)
        this.#receiveLater(this.#receiveRate.take(bytes, now), now);
    });
  }

  drained(): void {
    this.host.buffers.give(this.#kept);
    this.#kept = undefined;
    if (this.#farewell !== Number.POSITIVE_INFINITY) return this.#sayFarewell();
    if (this.#sendAgain === Number.POSITIVE_INFINITY)
      this.host.ticker.run((now) => this.session.drained(now));
  }

  revoked(error: TransportError): void {
    this.host.ticker.run(() => this.session.break(error));
  }

  closed(error?: TransportError): void {
    this.host.buffers.give(this.#encoder?.release());
    this.host.ticker.run((now) => {
      this.#input.finish(now);
      this.session.closed(
        error === undefined ? undefined : withDetails(error, { target: this.target }),
      );
    });
    this.#ended = true;
    this.host.gone(this);
    for (const resolve of this.#endings.splice(0)) resolve();
  }

  /** Resolves when the stream is closed. */
  whenGone(): Promise<void> {
    return this.#ended ? Promise.resolve() : new Promise((resolve) => this.#endings.push(resolve));
  }

  /** Pauses reading until other connections have completed their handshakes. */
  park(): void {
    this.#parked = [];
    this.#stream.pause();
  }

  unpark(): void {
    const arrivals = this.#parked ?? [];
    this.#parked = undefined;
    for (const arrive of arrivals) arrive();
    this.resumeReading();
  }

  pauseReading(): void {
    this.#stream.pause();
  }

  /** Resumes reading, unless something else prevents it. */
  resumeReading(): void {
    if (!this.#input.waits && this.#receiveAgain === Number.POSITIVE_INFINITY)
      this.#stream.resume();
  }

  slowed(): void {
    this.host.count('slowed', 1, this.remote);
  }

  // Requests of the session.

  flush(): boolean {
    if (this.#collector !== undefined) {
      const { size } = this.#collector;
      this.bytesOut += size;
      this.#stream.frames!.send(this.#collector.take());
      return this.#sendLater(size, true);
    }
    const encoder = this.#encoder!;
    const { size } = encoder;
    this.bytesOut += size;
    const parts = encoder.takeParts();
    const done =
      parts === undefined ? this.#stream.write(encoder.take()) : this.#stream.writeAll!(parts);
    const buffer = encoder.release();
    if (done) this.host.buffers.give(buffer);
    else this.#kept = buffer;
    return this.#sendLater(size, done);
  }

  /** Applies the send rate: if it is exceeded, nothing is written for a while. */
  #sendLater(bytes: number, done: boolean): boolean {
    if (this.#sendRate === undefined) return done;
    const now = this.host.ticker.now();
    const delay = this.#sendRate.take(bytes, now);
    if (delay === 0) return done;
    this.#sendAgain = now + delay;
    this.wakeBy(this.#sendAgain);
    return false;
  }

  /**
   * Applies the receive rate: if it is exceeded, nothing is read for a while, and the peer's
   * silence during that time is excused.
   */
  #receiveLater(delay: number, now: number): void {
    if (delay === 0 || this.over) return;
    if (this.#receiveAgain === Number.POSITIVE_INFINITY) this.#stream.pause();
    this.#receiveAgain = now + delay;
    this.session.excuse(delay);
    this.wakeBy(this.#receiveAgain);
  }

  /** Does everything that is due at `now`, then sets `due` to the next time. */
  wake(now: number): void {
    // Reset first, because the work below may request an earlier time than it returns.
    this.due = Number.POSITIVE_INFINITY;
    if (now >= this.#sendAgain) {
      this.#sendAgain = Number.POSITIVE_INFINITY;
      if (this.#kept === undefined) this.session.drained(now);
    }
    if (now >= this.#receiveAgain) {
      this.#receiveAgain = Number.POSITIVE_INFINITY;
      this.resumeReading();
    }
    if (now >= this.#farewell) {
      this.#farewell = Number.POSITIVE_INFINITY;
      this.#stream.close();
    }
    this.#input.excuse(now);
    // A connection that its own rate limit holds back is not stuck.
    if (this.#sendAgain !== Number.POSITIVE_INFINITY) this.session.outbox.heldBack(now);
    const next = this.session.wake(now);
    this.due = Math.min(this.due, next, this.#sendAgain, this.#receiveAgain, this.#farewell);
  }

  dirty(): void {
    if (this.#flagged) return;
    this.#flagged = true;
    this.host.ticker.touch(this);
  }

  flushTick(now: number): void {
    this.#flagged = false;
    this.session.context.now = now;
    this.session.pump();
    if (this.target === undefined || this.session.crowded === this.#crowded) return;
    this.#crowded = !this.#crowded;
    this.host.crowding(this);
  }

  wakeBy(time: number): void {
    if (time >= this.due) return;
    this.due = time;
    this.host.wakeBy(time);
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (!this.session.outbox.blocked || this.session.context.writer.count === 0)
      return this.#stream.close();
    if (this.#kept === undefined) return this.#sayFarewell();
    this.#farewell = this.host.ticker.now() + FAREWELL;
    this.wakeBy(this.#farewell);
  }

  #sayFarewell(): void {
    this.#farewell = Number.POSITIVE_INFINITY;
    this.flush();
    this.#stream.close();
  }

  destroy(error: TransportError): void {
    this.#closing = true;
    this.#stream.destroy(error);
  }

  // Reports of the session.

  greeted(hello: Hello): void {
    const { config, membership } = this.host;
    const proven = this.#stream.nodeId;
    this.remote = new LiveRemote(this, this.id, this.endpoint, this.direction, proven, hello);
    const agree = () => {
      if (this.direction === 'out') this.host.ticker.run(() => this.session.consent({}));
      else
        this.#introduce((fields) =>
          this.host.ticker.run(() => this.session.consent(fields, pendingConnection.answer)),
        );
    };
    const pendingConnection = {
      remote: this.remote,
      claim: hello.nodeId,
      protocols: hello.protocols,
      target: this.target,
      features: hello.features,
      answer: NONE,
    };
    askAdmit(config, membership, pendingConnection, agree, (error) => this.session.break(error));
  }

  /** Gets the fields of the hello for this peer. */
  #introduce(then: (fields: HelloFields) => void): void {
    const { config } = this.host;
    askHello(config, this.target, then, (error, cause) => {
      this.host.callbackFailed('hello', cause);
      this.session.break(error);
    });
  }

  up(): void {
    this.wasUp = true;
    this.#leaveDoorway();
    this.host.up(this);
    const { opened } = this;
    this.opened = undefined;
    opened?.(undefined);
  }

  remounted(protocols: readonly HelloProtocol[]): void {
    this.host.membership?.remounted?.(this.remote!, protocols);
  }

  #leaveDoorway(error?: TransportError): void {
    this.#slot?.leave(error);
    this.#slot = undefined;
  }

  leaving(waiting: OutCall[]): void {
    this.host.leaving(this, waiting);
  }

  down(error: TransportError, unsent: OutCall[]): void {
    this.over = true;
    this.#input.stop();
    this.#leaveDoorway(error);
    this.host.down(this, error, unsent);
    const { opened } = this;
    this.opened = undefined;
    opened?.(unreachable(error, this.target!));
  }

  incoming(call: InCall): void {
    call.from = this.remote;
    this.host.incoming(call);
  }

  withdrawn(call: InCall): void {
    this.host.withdrawn(call);
  }

  roomForReplies(channel: Channel): void {
    this.host.roomForReplies(channel);
  }

  protocolsChanged(): void {
    this.host.protocolsChanged(this);
  }
}

/**
 * The milliseconds for which the last message waits until the stream has room for it: as long as a
 * stream waits for the peer's end (docs/wire-protocol.md §8).
 */
const FAREWELL = 1_000;
const NONE: readonly string[] = [];
/** The maximum length of the observed address in a hello. */
const OBSERVED = 256;
