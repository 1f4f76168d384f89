// One WebSocket of `ws` as a StreamConnection: a binary message for each write, and an end that loses nothing.

import type { Socket } from 'node:net';
import type { Secured } from '@trunkline/mutual-tls';
import {
  type Clock,
  formatHostPort,
  freeChunk,
  reasonError,
  type StreamConnection,
  type StreamSink,
  type Timer,
  type TransportError,
} from '@trunkline/transport-core';
import type { RawData, WebSocket } from 'ws';
import { closeError, NORMAL, UNSUPPORTED_DATA, violationError } from './close-codes.ts';
import { MessageFrames } from './message-frames.ts';

/** Wraps a WebSocket that is open, and the socket beneath it. From here on both belong to the connection. */
export class WsConnection implements StreamConnection {
  readonly endpoint: string;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #frames: MessageFrames;
  readonly #clock: Clock;
  /** There under mutual TLS: who is at the other end. */
  readonly #secured: Secured | undefined;
  #sink: StreamSink | undefined;
  /** Nothing more is written or handed out: this end closed or was destroyed, or the other broke a rule. */
  #ending = false;
  /** This end destroyed it: the close code explains nothing. */
  #destroyed = false;
  /** A write was false and its chunk is not out yet. */
  #waiting = false;
  #over = false;
  #error: TransportError | undefined;
  #discarded = 0;
  #timer: Timer | undefined;

  /** @param side a dialler masks what it sends. */
  constructor(side: 'dialler' | 'acceptor', webSocket: WebSocket, socket: Socket, clock: Clock, secured?: Secured) {
    this.endpoint = socket.remoteAddress === undefined ? 'a peer that is gone' : formatHostPort(socket.remoteAddress, socket.remotePort ?? 0);
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#frames = new MessageFrames(side === 'dialler');
    this.#clock = clock;
    this.#secured = secured;
    webSocket.on('message', this.#message);
    webSocket.on('error', (error: Error & { code?: string }) => this.#violated(violationError(error.code, error.message, this.endpoint)));
    webSocket.on('close', (code, text) => this.#closed(code, text.toString()));
    // Until somebody attaches nothing may be handed out.
    webSocket.pause();
  }

  get nodeId(): string | undefined {
    return this.#secured?.nodeId;
  }

  get refused(): TransportError | undefined {
    return this.#secured?.refused;
  }

  get binding(): Uint8Array | undefined {
    return this.#secured?.binding;
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#secured?.attach(this, sink);
    if (this.#over) this.#clock.defer(() => this.#report());
    else if (!this.#ending) this.#webSocket.resume();
  }

  write(chunk: Uint8Array): boolean {
    const webSocket = this.#webSocket;
    if (this.#ending || webSocket.readyState !== webSocket.OPEN) return true;
    // Behind the back of `ws`, which puts frames of its own (a pong, the close) between whole ones of ours.
    let isDone = true;
    for (let at = 0; at < chunk.length; at += MESSAGE) isDone = this.#send(chunk.length <= MESSAGE ? chunk : chunk.subarray(at, at + MESSAGE)) && isDone;
    this.#waiting = !isDone;
    return isDone;
  }

  /**
   * Node tries the system call at once: nothing left means that the kernel has it all. TLS has read what it takes when write() returns,
   * though it tells so a turn later; a message behind that one waits where it is.
   */
  #send(message: Uint8Array): boolean {
    const socket = this.#socket;
    const isFirst = socket.writableLength === 0;
    socket.write(this.#frames.frame(message), this.#written);
    const isDone = this.#secured === undefined ? socket.writableLength === 0 : isFirst;
    if (isDone) this.#frames.release();
    else this.#frames.given();
    return isDone;
  }

  pause(): void {
    if (!this.#ending) this.#webSocket.pause();
  }

  resume(): void {
    if (!this.#ending) this.#webSocket.resume();
  }

  close(): void {
    if (!this.#ending && !this.#over) this.#end(NORMAL, '');
  }

  destroy(error?: TransportError): void {
    if (this.#over || this.#destroyed) return;
    this.#ending = true;
    this.#destroyed = true;
    this.#error ??= error;
    this.#webSocket.terminate();
  }

  readonly #message = (data: RawData, isBinary: boolean): void => {
    const buffer = data as Uint8Array;
    if (this.#ending) {
      this.#discarded += buffer.length;
      if (this.#discarded > DISCARD) this.#webSocket.terminate();
    } else if (!isBinary) {
      const error = violationError(undefined, 'a text message, where only binary ones are taken', this.endpoint);
      this.#violated(error);
    } else if (buffer.length > 0) {
      const chunk = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
      if (this.#sink?.data(chunk)) freeChunk(chunk);
    }
  };

  readonly #written = (error?: Error | null): void => {
    if (error || !this.#waiting || this.#socket.writableLength > 0) return;
    this.#waiting = false;
    this.#sink?.drained();
  };

  /** The other end broke a rule: it is told with a close frame (by `ws` itself where `ws` found it), and heard no more. */
  #violated(error: TransportError): void {
    this.#error ??= error;
    if (!this.#ending) this.#end(UNSUPPORTED_DATA, 'binary messages only');
  }

  #end(code: number, text: string): void {
    this.#ending = true;
    this.#webSocket.close(code, text);
    this.#linger(true);
    // Read and dropped, until the other end's close frame comes.
    this.#webSocket.resume();
  }

  /** A period to flush, where there is something to flush, and one for the other end's close. */
  #linger(again: boolean): void {
    this.#timer = this.#clock.setTimeout(() => {
      if (again && this.#socket.writableLength > 0) this.#linger(false);
      else this.#webSocket.terminate();
    }, LINGER);
  }

  #closed(code: number, text: string): void {
    this.#over = true;
    this.#secured?.release();
    this.#clock.clearTimeout(this.#timer);
    const { endpoint } = this;
    if (!this.#destroyed) {
      this.#error ??=
        this.#ending && code === 1006
          ? reasonError('reset', `Connection with ${endpoint}: the other end did not end it in order`, { target: endpoint })
          : closeError(code, text, endpoint);
    }
    this.#report();
  }

  #report(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#sink = undefined;
    sink.closed(this.#error);
  }
}

/** The longest message that this end sends (docs/wire-protocol.md §1). */
const MESSAGE = 256 * 1024;
/** How long an end waits for the other's, in milliseconds, and how many bytes it discards meanwhile (docs/wire-protocol.md §8). */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
