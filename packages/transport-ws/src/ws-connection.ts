// Wraps one WebSocket of `ws` as a StreamConnection. Each write becomes a binary message, or
// several if it is long, and a graceful close loses no data.

import type { Socket } from 'node:net';
import type { Clock, ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  backgroundTimer,
  freeChunk,
  type StreamConnection,
  type StreamSink,
  stackless,
} from '@trunkline/transport-core/backend';
import type { TlsConnection } from '@trunkline/transport-core/node';
import type { RawData, WebSocket } from 'ws';
import type { Admission } from './admission.ts';
import { endpointOf } from './arrival.ts';
import { closeError, NORMAL, TEXT, UNSUPPORTED_DATA, violationError } from './close-codes.ts';
import { MessageFrames } from './message-frames.ts';
import { SpentChunks } from './spent-chunks.ts';
import { dropRead, spreadOverTurns } from './spread-over-turns.ts';

/** The facts about the other end of a WebSocket. */
export interface WsOrigin extends Admission {
  /** Default: the address of the socket. */
  readonly endpoint?: string;
  readonly secured?: TlsConnection | undefined;
}

/**
 * Wraps a WebSocket that is open, and its underlying socket. From here on both belong to the
 * connection.
 */
export class WsConnection implements StreamConnection {
  readonly endpoint: string;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #frames: MessageFrames;
  readonly #spent = new SpentChunks();
  readonly #clock: Clock;
  /** Set only under mutual TLS: the proven identity of the other end. */
  readonly #secured: TlsConnection | undefined;
  readonly #refused: TransportError | undefined;
  readonly attachment: object | undefined;
  #sink: StreamSink | undefined;
  /**
   * True if nothing more is written or handed out, because this end closed or destroyed the
   * connection, or the other end broke a rule.
   */
  #ending = false;
  /** True if this end destroyed the connection, so the close code explains nothing. */
  #destroyed = false;
  /** True if a write returned false and its chunk has not been sent yet. */
  #waiting = false;
  /**
   * The number of our writes that Node has not reported as done. `writableLength` is no substitute,
   * because it includes a pong of `ws` that is queued behind our last write.
   */
  #writes = 0;
  #over = false;
  #error: TransportError | undefined;
  #discarded = 0;
  #timer: ClockTimer | undefined;

  /** @param side the side of this end: a dialer masks the messages that it sends. */
  constructor(
    side: 'dialer' | 'acceptor',
    webSocket: WebSocket,
    socket: Socket,
    clock: Clock,
    { endpoint = endpointOf(socket), secured, refused, attachment }: WsOrigin = {},
  ) {
    this.endpoint = endpoint;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#frames = new MessageFrames(side === 'dialer');
    this.#clock = clock;
    this.#secured = secured;
    this.#refused = refused;
    this.attachment = attachment;
    // These two are called before and after the listener of `ws`.
    socket.prependListener('data', (chunk: Uint8Array) => this.#spent.begin(chunk));
    socket.on('data', () => this.#spent.end());
    // `ws` answers pings. Like empty messages, pings and pongs only count toward a flood.
    for (const type of ['ping', 'pong'] as const)
      webSocket.on(type, (data: Uint8Array) => {
        this.#spent.ping(data);
        if (this.#ending) this.#discard(data);
        else this.#sink?.data(new Uint8Array(0));
      });
    webSocket.on('message', this.#message);
    webSocket.on('error', (error: Error & { code?: string }) =>
      this.#violated(violationError(error.code, error.message, this.endpoint)),
    );
    webSocket.on('close', (code, text) => this.#closed(code, text.toString()));
    // `ws` reports the end only after it has handed out all that it has read. After this end has
    // closed, that is at most a chunk or two of the socket, so it is discarded in one turn.
    socket.once('close', () => {
      if (this.#ending) spreadOverTurns(webSocket, false);
    });
    // Nothing may be handed out before a sink is attached.
    this.pause();
  }

  get nodeId(): string | undefined {
    return this.#secured?.nodeId;
  }

  get refused(): TransportError | undefined {
    return this.#secured?.refused ?? this.#refused;
  }

  get binding(): Uint8Array | undefined {
    return this.#secured?.binding;
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#secured?.attach(this, sink);
    if (this.#over) this.#clock.defer(() => this.#report());
    else this.resume();
  }

  write(chunk: Uint8Array): boolean {
    const webSocket = this.#webSocket;
    if (this.#ending || webSocket.readyState !== webSocket.OPEN) return true;
    // Writes bypass `ws`, which inserts its own frames (a pong, the close frame) only between whole
    // frames of ours.
    let isDone = true;
    for (let at = 0; at < chunk.length; at += MESSAGE)
      isDone =
        this.#send(chunk.length <= MESSAGE ? chunk : chunk.subarray(at, at + MESSAGE)) && isDone;
    this.#waiting = !isDone;
    return isDone;
  }

  /**
   * Sends a message; returns true if its memory may be reused. Node tries the system call
   * immediately, so an empty write queue means that the kernel has taken everything. Under mutual
   * TLS, Node has read the chunk when write() returns, although it reports this only a turn later;
   * a message queued behind that chunk must stay in memory. TLS without client certificates takes
   * the first way, which is slower there, but safe.
   */
  #send(message: Uint8Array): boolean {
    const socket = this.#socket;
    const isFirst = socket.writableLength === 0;
    this.#writes++;
    socket.write(this.#frames.frame(message), this.#written);
    const isDone = this.#secured === undefined ? socket.writableLength === 0 : isFirst;
    if (isDone) this.#frames.release();
    else this.#frames.given();
    return isDone;
  }

  pause(): void {
    if (this.#ending) return;
    spreadOverTurns(this.#webSocket, true);
    this.#webSocket.pause();
  }

  resume(): void {
    if (this.#ending) return;
    spreadOverTurns(this.#webSocket, false);
    this.#webSocket.resume();
  }

  ref(on: boolean): void {
    if (on) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    if (!this.#ending && !this.#over) this.#end(NORMAL, '');
  }

  destroy(error?: TransportError): void {
    if (this.#over || this.#destroyed) return;
    this.#ending = true;
    this.#destroyed = true;
    this.#error ??= error;
    spreadOverTurns(this.#webSocket, true);
    this.#webSocket.terminate();
  }

  readonly #message = (data: RawData, isBinary: boolean): void => {
    const buffer = data as Uint8Array;
    this.#spent.message(buffer);
    if (this.#ending) return this.#discard(buffer);
    if (!isBinary) return this.#violated(violationError(undefined, TEXT, this.endpoint));
    const chunk = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    if (this.#sink?.data(chunk)) freeChunk(chunk);
  };

  /** Drops data that arrives after the end; cuts off a peer that sends too much of it. */
  #discard(buffer: Uint8Array): void {
    this.#discarded += Math.max(buffer.length, LEAST);
    if (this.#destroyed || this.#discarded > DISCARD) {
      this.#webSocket.terminate();
      dropRead(this.#webSocket);
    }
  }

  readonly #written = (error?: Error | null): void => {
    if (--this.#writes > 0 || error || !this.#waiting) return;
    this.#waiting = false;
    this.#sink?.drained();
  };

  /**
   * Handles a protocol violation by the other end: sends a close frame (or `ws` does, if it found
   * the violation) and discards everything that follows.
   */
  #violated(error: TransportError): void {
    this.#error ??= error;
    if (!this.#ending) this.#end(UNSUPPORTED_DATA, 'binary messages only');
  }

  #end(code: number, text: string): void {
    this.#ending = true;
    this.#webSocket.close(code, text);
    this.#linger(true);
    // Reads and discards until the other end's close frame arrives.
    spreadOverTurns(this.#webSocket, true);
    this.#webSocket.resume();
  }

  /**
   * Allows one LINGER period for flushing, if anything is buffered, and one for the other end's
   * close.
   */
  #linger(again: boolean): void {
    const late = () => {
      if (again && this.#socket.writableLength > 0) this.#linger(false);
      else this.#webSocket.terminate();
    };
    this.#timer = backgroundTimer(this.#clock, late, LINGER);
  }

  #closed(code: number, text: string): void {
    this.#over = true;
    this.#secured?.release();
    this.#clock.clearTimeout(this.#timer);
    if (!this.#destroyed)
      this.#error ??=
        this.#ending && code === 1006
          ? stackless(
              'unavailable',
              `Connection with ${this.endpoint}: the other end did not close it cleanly`,
              { reason: 'reset', target: this.endpoint },
            )
          : closeError(code, text, this.endpoint);
    this.#report();
  }

  #report(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.closed(this.#error);
  }
}

/** Maximum length of a message that this end sends, in bytes (docs/wire-protocol.md §1). */
const MESSAGE = 256 * 1024;
/**
 * The time for which one end waits for the other's close frame, in milliseconds, and the number of
 * bytes that it discards meanwhile (docs/wire-protocol.md §8), where each message, ping or pong
 * counts as at least LEAST bytes.
 */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
const LEAST = 64;
