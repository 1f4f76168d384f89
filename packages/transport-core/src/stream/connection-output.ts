// The output of one connection. It owns the batch that is being filled, the buffer that the stream
// keeps, the send rate, and the close of the stream. The session tells it when to write and when to
// close; the stream, through the input, tells it when a batch has been taken. It calls the session
// at the end of a tick and when there is room again. transport/fair-turns.test.ts and
// testing/session test this file.

import type { TransportError } from '../errors.ts';
import type { Session } from '../session/session.ts';
import type { SessionPort } from '../session/session-context.ts';
import { type FrameCollector, FrameEncoder, type FrameWriter } from '../wire/encoder.ts';
import type { StreamConnection } from './stream-layer.ts';
import type { ScheduledReader, TokenBucket, TransportResources } from './transport-resources.ts';

/**
 * The connection as its output and its input see it. It is an interface because `Connection`, which
 * implements it, imports both.
 */
export interface ConnectionOwner {
  readonly host: TransportResources;
  readonly stream: StreamConnection;
  /** Created after the output, which is its port and has its writer, and before the input. */
  readonly session: Session;
  readonly output: ConnectionOutput;
  /** Called when `Session.crowded` has changed. */
  crowding(): void;
  /** Handles the end of the stream. */
  closed(error?: TransportError): void;
}

/** Writes the batches of a session to its stream. */
export class ConnectionOutput implements SessionPort, ScheduledReader {
  /** The output to which the session writes its frames. */
  readonly writer: FrameWriter;
  /**
   * The number of bytes written so far (of frames, only the payloads). The count starts at -0,
   * which V8 keeps as a double. Otherwise it would recompile all code that sees an output when the
   * count passes 2^31.
   */
  bytes = -0;
  readonly #connection: ConnectionOwner;
  readonly #stream: StreamConnection;
  readonly #transport: TransportResources;
  readonly #encoder: FrameEncoder | undefined;
  readonly #collector: FrameCollector | undefined;
  /** True once the session has asked for the end: it writes nothing more. */
  #isEnding = false;
  /**
   * The time until which the last batch waits for the stream to take the one before, or for the
   * next turn; Infinity if no last batch waits.
   */
  #lingerDue = Number.POSITIVE_INFINITY;
  /** The buffer that the stream has not written yet. */
  #kept: Uint8Array | undefined = undefined;
  /** The token bucket of limits.rate.send, and the time at which it has filled again. */
  readonly #rate: TokenBucket | undefined;
  #sendAgain = Number.POSITIVE_INFINITY;
  /**
   * The number of bytes that the stream accepted immediately in turn `#turn`, since it last kept a
   * batch.
   */
  #burst = 0;
  #turn = 0;
  /** True until `goOn` is called in a later turn, because BURST bytes were written in this one. */
  #isResting = false;
  /** True if `flushTick` is already scheduled for the end of this tick. */
  #isScheduled = false;
  /** The last value of `Session.crowded` that the connection was told. */
  #isCrowded = false;

  constructor(connection: ConnectionOwner) {
    const { host, stream } = connection;
    const { buffers, rates, ticker } = host;
    this.#connection = connection;
    this.#transport = host;
    this.#stream = stream;
    this.#rate = rates.send.of(stream.nodeId, ticker.now());
    this.#collector = stream.frames?.collector;
    // With a rate limit, a batch has no room for more than a packet and small frames, because one
    // batch may exceed what the rate allows.
    const gathers = stream.writeAll !== undefined && this.#rate === undefined;
    if (this.#collector === undefined)
      this.#encoder = new FrameEncoder(buffers.take, buffers.size, gathers);
    this.writer = (this.#collector ?? this.#encoder) as FrameWriter;
  }

  /** Writes the preamble; undefined if the connection carries frames. */
  get preamble(): (() => void) | undefined {
    const encoder = this.#encoder;
    return encoder === undefined ? undefined : () => encoder.preamble();
  }

  /** True if this end's own rate limit holds the output back. */
  get isHeldBack(): boolean {
    return this.#sendAgain !== Number.POSITIVE_INFINITY;
  }

  // Requests of the session.

  dirty(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#transport.ticker.touch(this);
  }

  wakeBy(time: number): void {
    this.#transport.timer.by(time);
  }

  flushTick(): void {
    this.#isScheduled = false;
    const { session } = this.#connection;
    session.tick();
    if (session.crowded === this.#isCrowded) return;
    this.#isCrowded = !this.#isCrowded;
    this.#connection.crowding();
  }

  flush(): boolean {
    const { size } = this.writer;
    this.bytes += size;
    if (this.#collector !== undefined) {
      // Credit limits the frames that are handed over as objects, so they need no limit of bursts.
      this.#stream.frames!.send(this.#collector.take());
      return this.#sendLater(size, true);
    }
    const encoder = this.#encoder!;
    const parts = encoder.takeParts();
    const isDone =
      parts === undefined ? this.#stream.write(encoder.take()) : this.#stream.writeAll!(parts);
    const buffer = encoder.release();
    if (isDone) this.#transport.buffers.give(buffer);
    else this.#kept = buffer;
    return this.#sendLater(size, isDone && this.#goesOn(size));
  }

  /**
   * Returns true if more may be written in this turn. Without this limit, a stream that accepts
   * each batch immediately would hold up the event loop as long as there is anything to send. Such
   * a stream may take longer to encrypt a batch than the other end takes to read it, or it may be
   * broken and drop the batch.
   */
  #goesOn(bytes: number): boolean {
    const { number } = this.#transport.scheduler;
    if (this.#turn !== number) {
      this.#turn = number;
      this.#burst = 0;
    }
    this.#burst += bytes;
    if (this.#burst < BURST / 2) return true;
    // A turn ends only if someone asks for it. This asks early, so that the next turn, with a new
    // burst, usually begins before this one is used up.
    this.#transport.scheduler.endTurn();
    if (this.#burst < BURST) return true;
    this.#isResting = true;
    this.#transport.scheduler.wait(this);
    return false;
  }

  /** Continues to write in a new turn of the event loop. */
  goOn(): void {
    this.#burst = 0;
    this.#isResting = false;
    this.#writeOn();
  }

  /** Applies the send rate: if it is exceeded, nothing is written for a while. */
  #sendLater(bytes: number, isDone: boolean): boolean {
    if (this.#rate === undefined) return isDone;
    const now = this.#transport.ticker.now();
    const delay = this.#rate.take(bytes, now);
    if (delay === 0) return isDone;
    this.#sendAgain = now + delay;
    this.#connection.session.parts.context.wakeBy(this.#sendAgain);
    return false;
  }

  close(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const isKept = this.#kept !== undefined || this.#isResting;
    if (this.writer.count === 0 || !(isKept || this.isHeldBack)) this.#stream.close();
    else if (!isKept) this.#writeLast();
    else {
      this.#lingerDue = this.#transport.ticker.now() + LINGER;
      this.#connection.session.parts.context.wakeBy(this.#lingerDue);
    }
  }

  destroy(error: TransportError): void {
    this.#isEnding = true;
    this.#lingerDue = Number.POSITIVE_INFINITY;
    this.#stream.destroy(error);
  }

  #writeLast(): void {
    this.#lingerDue = Number.POSITIVE_INFINITY;
    this.flush();
    this.#stream.close();
  }

  // Reports of the connection.

  /** Reports that the stream has written the batch that it kept. */
  drained(): void {
    this.#transport.buffers.give(this.#kept);
    this.#kept = undefined;
    this.#burst = 0;
    // A resting output keeps no batch, so this check only guards against a `drained` too many.
    if (!this.#isResting) this.#writeOn();
  }

  #writeOn(): void {
    if (this.#lingerDue !== Number.POSITIVE_INFINITY) this.#writeLast();
    else if (!this.isHeldBack) this.#transport.ticker.run(() => this.#connection.session.drained());
  }

  /** Does everything that is due at `now`. Call it within a tick: it calls the session directly. */
  wake(now: number): void {
    if (now >= this.#sendAgain) {
      this.#sendAgain = Number.POSITIVE_INFINITY;
      if (this.#kept === undefined && !this.#isResting) this.#connection.session.drained();
    }
    if (now < this.#lingerDue) return;
    this.#lingerDue = Number.POSITIVE_INFINITY;
    this.#stream.close();
  }

  /** The time at which this object needs `wake`. */
  get due(): number {
    return Math.min(this.#sendAgain, this.#lingerDue);
  }

  /**
   * Returns the buffer of the unfinished batch to the pool, because the stream is closed. A buffer
   * that the stream still keeps is left to the garbage collector.
   */
  release(): void {
    this.#transport.scheduler.leave(this);
    this.#transport.buffers.give(this.#encoder?.release());
  }
}

/**
 * Maximum number of bytes that a connection writes in a turn while its stream accepts them
 * immediately.
 */
export const BURST = 1_048_576;
/**
 * Duration, in milliseconds, for which the last message waits until the stream has room for it. A
 * stream also waits this long for the peer's end (docs/wire-protocol.md §8).
 */
const LINGER = 1_000;
