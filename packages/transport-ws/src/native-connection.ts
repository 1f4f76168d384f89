// Wraps one native WebSocket as a StreamConnection. A native WebSocket neither reports when a
// message has been sent nor can be paused, so this class polls its buffer, and buffers messages
// while it is paused. Tested in native-stream-layer.test.ts.

import { type Clock, type ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  reasonError,
  type StreamConnection,
  type StreamSink,
} from '@trunkline/transport-core/backend';
import { CUT, closeError, NORMAL, TEXT, UNSUPPORTED_DATA, violationError } from './close-codes.ts';
import { type NativeWebSocket, OPEN } from './native-web-socket.ts';
import { WriteLimit } from './write-limit.ts';

/** Wraps a WebSocket that is open, with `binaryType` 'arraybuffer'. */
export class NativeConnection implements StreamConnection {
  readonly endpoint: string;
  readonly #webSocket: NativeWebSocket;
  readonly #clock: Clock;
  #sink: StreamSink | undefined;
  #ending = false;
  #over = false;
  #error: TransportError | undefined;
  /** True if a write returned false, so `drained` must be called. */
  #waiting = false;
  /**
   * True before attach, and from pause to resume: messages are buffered instead of being handed
   * out.
   */
  #paused = true;
  /** Messages received while paused. */
  #unread: Uint8Array[] = [];
  #unreadSize = 0;
  #discarded = 0;
  readonly #limit = new WriteLimit();
  #poll: ClockTimer | undefined;
  #linger: ClockTimer | undefined;

  constructor(webSocket: NativeWebSocket, endpoint: string, clock: Clock) {
    this.endpoint = endpoint;
    this.#webSocket = webSocket;
    this.#clock = clock;
    webSocket.onmessage = ({ data }) => this.#message(data);
    webSocket.onerror = null;
    webSocket.onclose = ({ code, reason }) =>
      this.#end(this.#error ?? closeError(code, reason, endpoint));
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#paused = false;
    this.#clock.defer(() => this.#deliver());
  }

  write(chunk: Uint8Array): boolean {
    const webSocket = this.#webSocket;
    if (this.#ending || webSocket.readyState !== OPEN) return true;
    // send() copies the data, so the caller's memory is free immediately. Returning false only
    // makes the session follow the pace of the network, so that priorities can take effect.
    for (let at = 0; at < chunk.length; at += MESSAGE)
      webSocket.send(chunk.length <= MESSAGE ? chunk : chunk.subarray(at, at + MESSAGE));
    this.#waiting = this.#limit.isFull(webSocket.bufferedAmount, this.#clock.now());
    if (this.#waiting) this.#ask();
    return !this.#waiting;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (this.#sink === undefined) return;
    this.#paused = false;
    this.#clock.defer(() => this.#deliver());
  }

  close(): void {
    if (this.#ending) return;
    if (!this.#over) return this.#close(NORMAL, '');
    // The end waited until the messages before it were read; they are dropped now.
    this.#ending = true;
    this.#clock.defer(() => this.#report());
  }

  destroy(error?: TransportError): void {
    if (this.#over) return this.close();
    this.#ending = true;
    // A page cannot reset a connection. It sends this close code instead and ignores everything
    // that follows.
    this.#webSocket.close(CUT, '');
    this.#end(error);
  }

  #message(data: unknown): void {
    if (this.#ending) return this.#discard(data);
    if (!(data instanceof ArrayBuffer)) {
      this.#error = violationError(undefined, TEXT, this.endpoint);
      return this.#close(UNSUPPORTED_DATA, 'binary messages only');
    }
    // An empty message only counts toward a flood, so it is passed on even while paused.
    if (data.byteLength === 0) return void this.#sink?.data(new Uint8Array(0));
    this.#unread.push(new Uint8Array(data));
    this.#unreadSize += data.byteLength;
    if (this.#unreadSize > UNREAD)
      return this.destroy(
        new TransportError(
          'resource_exhausted',
          `Connection with ${this.endpoint}: more than ${UNREAD} bytes arrived while nothing was read`,
        ),
      );
    this.#deliver();
    this.#drain();
  }

  #discard(data: unknown): void {
    this.#discarded += data instanceof ArrayBuffer ? data.byteLength : 0;
    if (this.#discarded > DISCARD)
      this.#end(this.#error ?? this.#reset('the other end continued to write'));
  }

  #deliver(): void {
    while (!this.#paused && !this.#ending && this.#unread.length > 0) {
      const chunk = this.#unread.shift()!;
      this.#unreadSize -= chunk.length;
      this.#sink?.data(chunk);
    }
    if (this.#over && !this.#paused) this.#report();
  }

  /**
   * Polls until enough of the sent data has left the browser's buffer. Timers of a page in the
   * background run less often, so incoming messages trigger the check too.
   */
  #ask(): void {
    this.#poll ??= this.#clock.setTimeout(() => {
      this.#poll = undefined;
      this.#drain();
      if (this.#waiting && !this.#over) this.#ask();
    }, POLL);
  }

  #drain(): void {
    if (!this.#waiting || this.#over) return;
    if (!this.#limit.isDrained(this.#webSocket.bufferedAmount, this.#clock.now())) return;
    this.#waiting = false;
    this.#sink?.drained();
  }

  /** Flushes, sends a close frame, and discards all input until the other end has closed, too. */
  #close(code: number, text: string): void {
    this.#ending = true;
    this.#webSocket.close(code, text);
    this.#linger = this.#clock.setTimeout(
      () => this.#end(this.#error ?? this.#reset('the other end did not close it cleanly')),
      LINGER,
    );
  }

  #reset(what: string): TransportError {
    return reasonError('reset', `Connection with ${this.endpoint}: ${what}`, {
      target: this.endpoint,
    });
  }

  #end(error: TransportError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#webSocket.onmessage = this.#webSocket.onclose = null;
    for (const timer of [this.#poll, this.#linger])
      if (timer !== undefined) this.#clock.clearTimeout(timer);
    // Data that arrived before the end is still delivered, once reading resumes.
    if (this.#ending || this.#unread.length === 0) this.#clock.defer(() => this.#report());
  }

  #report(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#unread = [];
    sink?.closed(this.#error);
  }
}

/** Maximum length of a message that this end sends, in bytes (docs/wire-protocol.md §1). */
const MESSAGE = 256 * 1024;
/**
 * The interval between checks of the browser's buffer, in milliseconds; browsers raise shorter
 * intervals to 4 ms.
 */
const POLL = 4;
/**
 * Maximum number of bytes that are buffered while paused: more than the default credit of a session
 * allows in flight.
 */
const UNREAD = 64 * 1024 * 1024;
/**
 * The time for which one end waits for the other's close frame, in milliseconds, and the number of
 * bytes that it discards meanwhile (docs/wire-protocol.md §8).
 */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
