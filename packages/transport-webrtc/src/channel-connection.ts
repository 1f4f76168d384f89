// One data channel as a StreamConnection. A channel carries messages and can neither be paused nor
// closed gracefully, so this class adds a window, in which the reader acknowledges bytes, and an
// end.

import {
  type Clock,
  type ClockTimer,
  systemClock,
  TransportError,
} from '@trunkline/transport-core';
import {
  reasonError,
  type StreamConnection,
  type StreamSink,
} from '@trunkline/transport-core/backend';
import { LONGEST_MESSAGE, type OpenChannel } from './open-channel.ts';
import type { RtcDataChannel } from './rtc.ts';
import { WAKE } from './wake-up.ts';

/** Wraps a channel that is open and over which both ends have exchanged hellos. */
export class ChannelConnection implements StreamConnection {
  readonly endpoint: string;
  readonly nodeId: string | undefined;
  /** Set before `attach`, by `WebRtcLayer` or `revoke`, if this end doesn't want the peer. */
  refused: TransportError | undefined = undefined;
  readonly #open: OpenChannel;
  readonly #channel: RtcDataChannel;
  readonly #clock: Clock;
  #sink: StreamSink | undefined;
  /** Received bytes that were not reported yet, because the reader has paused. */
  readonly #unread: Uint8Array[] = [];
  /** The memory of the last array of `#unread`, if messages were joined in it. */
  #joined: Uint8Array | undefined;
  /** True once the other end has sent its end message; it sends no more bytes. */
  #endArrived = false;
  #unreadSize = 0;
  /** True before `attach` and from `pause` to `resume`: messages are kept. */
  #isPaused = true;
  /** The number of bytes that were read and not yet acknowledged. */
  #taken = 0;
  /** The number of bytes sent that the other end has not acknowledged. */
  #inFlight = 0;
  /** The number of messages sent since the channel's buffer was last found empty. */
  #queued = 0;
  /** The rest of the chunk whose `write` returned false. */
  #rest: Uint8Array | undefined;
  /** True after a `write` that returned false, until `drained` is called. */
  #isBlocked = false;
  /** True if `close` was called: received bytes are acknowledged and dropped. */
  #isEnding = false;
  #endSent = false;
  #discarded = 0;
  #linger: ClockTimer | undefined;
  /** True after a `send` of the channel that threw: nothing more is written. */
  #hasFailed = false;
  /** Set while the last messages may still be sent or read. */
  #releasing: ClockTimer | undefined;
  #isOver = false;
  #isReleased = false;
  #error: TransportError | undefined;

  constructor(open: OpenChannel, clock: Clock) {
    this.endpoint = open.endpoint;
    this.nodeId = open.nodeId;
    this.#open = open;
    this.#channel = open.channel;
    this.#clock = clock;
    this.#channel.bufferedAmountLowThreshold = LOW;
    this.#channel.addEventListener('bufferedamountlow', this.#onLow);
    open.handOver({ message: (data) => this.#message(data), gone: (why) => this.#gone(why) });
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#isPaused = false;
    this.#clock.defer(() => (this.#isOver ? this.#report() : this.#deliver()));
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isEnding || this.#isOver || chunk.length === 0) return true;
    this.#rest = chunk;
    this.#pump();
    this.#isBlocked = this.#rest !== undefined;
    return !this.#isBlocked;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (this.#sink === undefined) return;
    this.#isPaused = false;
    this.#clock.defer(() => this.#deliver());
  }

  close(): void {
    if (this.#isEnding || this.#isOver) return;
    this.#isEnding = true;
    this.#resetLater(`it did not close within ${LINGER} ms`);
    this.#pump();
    this.#clock.defer(() => this.#deliver());
  }

  destroy(error?: TransportError): void {
    if (this.#isOver) this.#release();
    else this.#finish(error, 'cut');
  }

  /** Called by `NodeIdFilter.update` when this end's lists no longer allow the peer. */
  revoke(error: TransportError): void {
    if (this.#sink === undefined) this.refused ??= error;
    else if (this.#sink.revoked === undefined) this.destroy(error);
    else if (!this.#isEnding) this.#sink.revoked(error);
  }

  /**
   * Sends as much of the chunk as the window and the channel's buffer allow, then the end message.
   */
  #pump(): void {
    const { maxMessage } = this.#open;
    // The channel has closed and will report it soon; until then, nothing can be written.
    if (this.#hasFailed || this.#channel.readyState !== 'open') return;
    let rest = this.#rest;
    while (rest !== undefined) {
      const room = Math.min(maxMessage, WINDOW - this.#inFlight);
      if (room <= 0 || this.#isFull()) {
        this.#rest = rest;
        return;
      }
      const message: Uint8Array = rest.length <= room ? rest : rest.subarray(0, room);
      if (!this.#send(message)) return;
      this.#inFlight += message.length;
      this.#queued++;
      rest = message.length === rest.length ? undefined : rest.subarray(message.length);
    }
    this.#rest = undefined;
    if (this.#isEnding) this.#sendEnd();
  }

  /**
   * Returns true if the channel's buffer has enough bytes or messages; 'bufferedamountlow' follows.
   */
  #isFull(): boolean {
    const channel = this.#channel;
    const low = this.#queued < MOST_QUEUED ? LOW : 0;
    if (channel.bufferedAmountLowThreshold !== low) channel.bufferedAmountLowThreshold = low;
    // Read after the threshold is set, because threads of a library empty the buffer meanwhile.
    const { bufferedAmount } = channel;
    if (bufferedAmount === 0) this.#queued = 0;
    return bufferedAmount >= HIGH || this.#queued >= MOST_QUEUED;
  }

  #sendEnd(): void {
    if (this.#endSent) return;
    this.#endSent = true;
    this.#send(END);
  }

  /**
   * Returns false if the channel has failed; `send` copies the bytes. The other end may have closed
   * the channel a moment ago; then its last messages, which say how the connection ends, are still
   * to come.
   */
  #send(message: Uint8Array | string): boolean {
    if (this.#hasFailed) return false;
    try {
      if (this.#channel.readyState !== 'open') return true;
      this.#channel.send(message);
      this.#open.sent?.();
      return true;
    } catch (cause) {
      this.#hasFailed = true;
      if (!this.#isOver && !this.#endArrived) this.#resetLater('it could not be written to', cause);
      return false;
    }
  }

  /** Resets the connection unless it has ended within LINGER. */
  #resetLater(why: string, cause?: unknown): void {
    this.#linger ??= this.#clock.setTimeout(
      () => this.#finish(this.#reset(why, cause), 'cut'),
      LINGER,
    );
  }

  #cancelReset(): void {
    this.#clock.clearTimeout(this.#linger);
    this.#linger = undefined;
  }

  readonly #onLow = (): void => {
    if (this.#isOver) return this.#releaseOnceSent();
    if (this.#rest === undefined) return;
    this.#pump();
    this.#drain();
  };

  #drain(): void {
    if (!this.#isBlocked || this.#rest !== undefined || this.#isOver) return;
    this.#isBlocked = false;
    if (!this.#isEnding) this.#sink?.drained();
  }

  #message(data: unknown): void {
    if (this.#isOver) return data === END || data === CUT ? this.#release() : undefined;
    if (typeof data === 'string' && data !== WAKE) return this.#control(data);
    if (this.#endArrived) return;
    const bytes = bytesOf(data);
    // These only count toward a flood.
    if (bytes.length === 0) {
      if (!this.#isEnding) this.#sink?.data(bytes);
      return;
    }
    this.#keep(bytes);
    this.#unreadSize += bytes.length;
    if (this.#unreadSize > WINDOW)
      return this.destroy(
        new TransportError(
          'resource_exhausted',
          `Connection with ${this.endpoint}: it sent more than its window of ${WINDOW} bytes`,
          { target: this.endpoint },
        ),
      );
    this.#deliver();
  }

  /** Keeps received bytes. Short messages are joined, because each array takes memory, too. */
  #keep(bytes: Uint8Array): void {
    const last = this.#unread.at(-1);
    if (last === undefined || last.length + bytes.length > LONGEST_MESSAGE) {
      this.#joined = undefined;
      this.#unread.push(bytes);
      return;
    }
    if (this.#joined === undefined) {
      this.#joined = new Uint8Array(LONGEST_MESSAGE);
      this.#joined.set(last);
    }
    this.#joined.set(bytes, last.length);
    this.#unread[this.#unread.length - 1] = this.#joined.subarray(0, last.length + bytes.length);
  }

  #control(text: string): void {
    if (text === END) {
      this.#endArrived = true;
      if (!this.#isEnding) this.#cancelReset();
      return this.#deliver();
    }
    if (text === CUT)
      return this.#finish(this.#reset('the other end reset the connection'), 'ended');
    const taken = /^t([1-9]\d{0,6})$/.exec(text)?.[1];
    if (taken === undefined || Number(taken) > this.#inFlight)
      return this.destroy(this.#reset('it sent a wrong message', undefined, 'malformed'));
    this.#inFlight -= Number(taken);
    this.#pump();
    this.#drain();
  }

  /**
   * Reports received messages while there is a reader. After this end has ended, they are read and
   * dropped here.
   */
  #deliver(): void {
    while (!this.#isOver && (this.#isEnding || !this.#isPaused)) {
      const next = this.#unread.shift();
      if (next === undefined) return this.#endArrived ? this.#ended() : undefined;
      this.#unreadSize -= next.length;
      this.#acknowledge(next.length);
      if (!this.#isEnding) this.#sink?.data(next);
      else if ((this.#discarded += next.length) > DISCARD)
        return this.#finish(this.#reset('the other end continued to write'), 'left');
    }
  }

  #acknowledge(size: number): void {
    this.#taken += size;
    if (this.#taken < ACKNOWLEDGE) return;
    this.#send(`t${this.#taken}`);
    this.#taken = 0;
  }

  /**
   * Handles the end of the other end's stream. A half-closed connection serves no purpose, so this
   * end ends, too.
   */
  #ended(): void {
    this.#sendEnd();
    this.#finish(undefined, 'ended');
  }

  /**
   * Handles a closed channel. If this end has already ended, the other end may have closed it to
   * end the connection.
   */
  #gone(why: string): void {
    if (this.#isOver) return this.#release();
    // Messages that arrived before the end are still reported, once reading resumes.
    if (this.#endArrived) return this.#release();
    this.#finish(this.#endSent ? undefined : this.#reset(why), 'ended');
  }

  /**
   * Ends this end: both ends have ended, this one cuts the connection, or it leaves after its own
   * end message.
   */
  #finish(error: TransportError | undefined, how: 'ended' | 'cut' | 'left'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#unread.length = 0;
    this.#rest = undefined;
    this.#cancelReset();
    this.#clock.defer(() => this.#report());
    // A full buffer would delay the message that cuts the connection, so this end doesn't wait for
    // it to drain.
    if (how === 'cut' && (this.#buffered() > CUT_BEHIND || !this.#send(CUT)))
      return this.#release();
    if (how === 'ended') this.#releaseOnceSent();
    else this.#releaseOnceRead();
  }

  /**
   * Releases the channel once the other end has closed it, or after LINGER. node-datachannel drops
   * messages that have not been read when the sender closes. Uses real time, because no clock of a
   * test may wait for this.
   */
  #releaseOnceRead(): void {
    if (this.#isReleased || this.#channel.readyState !== 'open') return this.#release();
    this.#channel.removeEventListener('bufferedamountlow', this.#onLow);
    this.#releasing = systemClock.setTimeout(() => this.#release(), LINGER);
  }

  /**
   * Releases the channel once its buffer is empty, because closing it earlier could drop a message,
   * or after LINGER, because the other end may have stopped reading.
   */
  #releaseOnceSent(): void {
    if (this.#buffered() === 0) return this.#release();
    this.#channel.bufferedAmountLowThreshold = 0;
    this.#releasing ??= systemClock.setTimeout(() => this.#release(), LINGER);
  }

  #buffered(): number {
    return this.#channel.readyState === 'open' ? this.#channel.bufferedAmount : 0;
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    systemClock.clearTimeout(this.#releasing);
    this.#channel.removeEventListener('bufferedamountlow', this.#onLow);
    this.#open.release();
  }

  #report(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.closed(this.#error);
  }

  #reset(why: string, cause?: unknown, reason: 'reset' | 'malformed' = 'reset'): TransportError {
    return reasonError(reason, `Connection with ${this.endpoint}: ${why}`, {
      target: this.endpoint,
      cause,
    });
  }
}

/**
 * Returns a message as a plain Uint8Array, an empty one for `WAKE`. Libraries deliver an
 * ArrayBuffer or a Buffer.
 */
function bytesOf(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (!ArrayBuffer.isView(data)) return new Uint8Array(0);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * The text messages: a graceful end and an immediate end. 't' followed by a number acknowledges
 * bytes.
 */
const END = 'end';
const CUT = 'cut';
/**
 * Maximum number of bytes in the channel's buffer behind which CUT is still sent. Above it, the
 * channel is closed without CUT.
 */
const CUT_BEHIND = 64 * 1024;
/**
 * Maximum number of bytes in one direction that were sent and that the reader has not acknowledged.
 */
const WINDOW = 1024 * 1024;
/** The number of bytes after which a reader sends an acknowledgment. */
const ACKNOWLEDGE = 64 * 1024;
/**
 * The numbers of bytes in the channel's buffer at which sending stops, and at which it continues.
 */
const HIGH = 1024 * 1024;
const LOW = 256 * 1024;
/**
 * The number of messages in the channel's buffer at which sending stops until it is empty. werift
 * blocks the process for minutes if thousands of small ones wait: its work grows with the cube of
 * their number.
 */
const MOST_QUEUED = 128;
/**
 * The time for which this end waits until the other end has ended, in milliseconds, and the number
 * of bytes that it drops meanwhile (docs/wire-protocol.md §8). LINGER also bounds the wait before
 * the channel of an ended connection is released.
 */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
