// One TCP socket, bare or under TLS, as a StreamConnection: writes that tell when the memory is free again, and an end that loses nothing.

import type { Socket } from 'node:net';
import { type Secured, tlsConnectionError } from '@trunkline/mutual-tls';
import {
  type Clock,
  formatHostPort,
  freeChunk,
  reasonError,
  type StreamConnection,
  type StreamSink,
  socketError,
  type Timer,
  type TransportError,
} from '@trunkline/transport-core';
import type { Reader } from './read-buffer.ts';

/** Wraps a socket that is connected. From here on the socket belongs to the connection, its errors included. */
export class TcpConnection implements StreamConnection {
  readonly endpoint: string;
  readonly reuses: boolean;
  /** TLS would copy the chunks into one. */
  readonly writeAll?: (chunks: readonly Uint8Array[]) => boolean;
  readonly #socket: Socket;
  /** There where it was dialled, without TLS: it reads into the common buffer. */
  readonly #reader: Reader | undefined;
  /** There under TLS: the socket beneath, and who is at its other end. */
  readonly #secured: Secured | undefined;
  readonly #clock: Clock;
  #sink: StreamSink | undefined;
  /** Nothing more is written: this end closed or was destroyed, or the other one ended. */
  #ending = false;
  /** The other end ended in order, or this one was destroyed on purpose: no error of ours explains the end. */
  #explained = false;
  /** No more is asked for. Where `pause` follows `resume` in one turn Node reads on: then the reader tells it. */
  #paused = false;
  /** A write was false and its chunk is not out yet. */
  #waiting = false;
  #over = false;
  #error: TransportError | undefined;
  #discarded = 0;
  #timer: Timer | undefined;

  constructor(socket: Socket, clock: Clock, { reader, secured }: { readonly reader?: Reader; readonly secured?: Secured } = {}) {
    this.endpoint = socket.remoteAddress === undefined ? 'a peer that is gone' : formatHostPort(socket.remoteAddress, socket.remotePort ?? 0);
    this.#socket = socket;
    this.#clock = clock;
    this.#reader = reader;
    this.reuses = reader !== undefined;
    this.#secured = secured;
    if (secured === undefined) this.writeAll = this.#writeAll;
    const translate = secured === undefined ? socketConnectionError : tlsConnectionError;
    socket.on('error', (error) => (this.#error ??= translate(error, this.endpoint)));
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#closed());
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
    else if (!this.#ending) this.#read();
  }

  #read(): void {
    if (this.#reader === undefined) return void this.#socket.on('data', this.#data);
    const copies = this.#sink?.copies === true;
    this.#reader.read = (chunk) => {
      if (copies) this.#receive(chunk);
      else this.#data(chunk.slice());
      return !this.#paused;
    };
    this.#socket.resume();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#ending || this.#socket.destroyed) return true;
    if (this.#secured !== undefined) return this.#writeSecured(chunk);
    this.#socket.write(chunk, this.#written);
    return this.#isOut();
  }

  /** One `writev`. */
  readonly #writeAll = (chunks: readonly Uint8Array[]): boolean => {
    if (this.#ending || this.#socket.destroyed) return true;
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk, this.#written);
    this.#socket.uncork();
    return this.#isOut();
  };

  /** Node tries the system call before write() returns: nothing left means that the kernel has it all. */
  #isOut(): boolean {
    this.#waiting = this.#socket.writableLength > 0;
    return !this.#waiting;
  }

  /** TLS has read what it takes when write() returns, though it tells so a turn later; what comes behind that waits in Node's queue. */
  #writeSecured(chunk: Uint8Array): boolean {
    const held = this.#socket.writableLength;
    // A small one is copied for that: else a second write in a turn would wait for the next.
    const isCopied = held > 0 && held <= HELD && chunk.length <= COPIED;
    this.#socket.write(isCopied ? chunk.slice() : chunk, this.#written);
    this.#waiting = held > 0 && !isCopied;
    return !this.#waiting;
  }

  pause(): void {
    if (this.#ending) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#ending) this.#socket.resume();
  }

  close(): void {
    if (this.#ending || this.#over) return;
    this.#end();
    // Closing over unread bytes would send RST, which destroys at the other end what we flushed: so they are read and dropped.
    if (this.#sink === undefined) this.#read();
    this.#paused = false;
    this.#socket.resume();
  }

  destroy(error?: TransportError): void {
    if (this.#over || this.#socket.destroyed) return;
    this.#explained = true;
    this.#error ??= error;
    if (this.#ending) return void this.#socket.destroy();
    this.#ending = true;
    // RST and not FIN: the other end must not take a stream that was cut for one that ended. (After our FIN Node can't send one.)
    if (this.#secured === undefined) this.#socket.resetAndDestroy();
    else this.#secured.reset();
  }

  readonly #data = (buffer: Uint8Array<ArrayBuffer>): void => {
    const chunk = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    if (this.#receive(chunk)) freeChunk(chunk);
  };

  /** True: the sink is done with it. */
  readonly #receive = (chunk: Uint8Array): boolean => {
    if (!this.#ending) return this.#sink?.data(chunk) === true;
    this.#discarded += chunk.length;
    if (this.#discarded > DISCARD) this.#socket.destroy();
    return false;
  };

  readonly #written = (error?: Error | null): void => {
    if (error || !this.#waiting || this.#socket.writableLength > 0) return;
    this.#waiting = false;
    this.#sink?.drained();
  };

  /** FIN came. A half-closed connection serves nothing: what was written is flushed, and this end ends too. */
  #ended(): void {
    this.#explained = true;
    if (!this.#ending) this.#end();
  }

  #end(): void {
    this.#ending = true;
    this.#socket.end();
    this.#linger(true);
  }

  /** A period to flush, where there is something to flush, and one for the other end's FIN. */
  #linger(again: boolean): void {
    this.#timer = this.#clock.setTimeout(() => {
      if (again && this.#socket.writableLength > 0) this.#linger(false);
      else this.#socket.destroy();
    }, LINGER);
  }

  #closed(): void {
    this.#over = true;
    this.#secured?.release();
    this.#clock.clearTimeout(this.#timer);
    if (!this.#explained)
      this.#error ??= reasonError('reset', `Connection with ${this.endpoint}: the other end did not end it in order`, { target: this.endpoint });
    this.#report();
  }

  #report(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#sink = undefined;
    sink.closed(this.#error);
  }
}

function socketConnectionError(error: Error, endpoint: string): TransportError {
  return socketError(error, 'connection', endpoint);
}

/** Under TLS: the largest chunk that is copied, and how much may wait before it. */
const COPIED = 16 * 1024;
const HELD = 64 * 1024;
/** How long an end waits for the other's, in milliseconds, and how many bytes it discards meanwhile (docs/wire-protocol.md §8). */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
