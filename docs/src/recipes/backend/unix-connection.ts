// A Unix domain socket as a connection of Trunkline. Any other Node socket is wrapped in the same way.

import type { Socket } from 'node:net';
import type { Clock, TransportError } from '@trunkline/transport-core';
import {
  backgroundTimer,
  reasonError,
  type StreamConnection,
  type StreamSink,
  socketError,
} from '@trunkline/transport-core/backend';

/** One socket. It belongs to the connection from here on. */
export class UnixConnection implements StreamConnection {
  readonly endpoint: string;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #sink: StreamSink | undefined;
  #isEnding = false;
  #discarded = 0;
  #timer: unknown;
  #error: TransportError | undefined;

  constructor(socket: Socket, endpoint: string, clock: Clock) {
    this.endpoint = endpoint;
    this.#socket = socket;
    this.#clock = clock;
    socket.on('error', (error) => (this.#error ??= socketError(error, 'connection', endpoint)));
    socket.on('drain', () => this.#sink?.drained());
    socket.on('end', () => this.close()); // a half-closed connection is of no use
    socket.on('close', () => {
      clock.clearTimeout(this.#timer);
      this.#report();
    });
  }

  ref(on: boolean): void {
    if (on) this.#socket.ref();
    else this.#socket.unref();
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    if (this.#socket.closed) this.#clock.defer(() => this.#report());
    else this.#socket.on('data', (buffer: Buffer) => this.#receive(buffer));
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isEnding || this.#socket.destroyed) return true;
    // True means that the writer may reuse its memory. But Node keeps the chunk until the kernel
    // takes it, and returns true below its high-water mark: so it gets a copy. After false, Node
    // reports 'drain', and `drained` asks for more.
    return this.#socket.write(chunk.slice());
  }

  pause(): void {
    if (!this.#isEnding) this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    if (this.#isEnding || this.#socket.destroyed) return;
    this.#isEnding = true;
    this.#socket.end(); // after everything that was written
    this.#socket.resume(); // reads and drops what still comes, until the other end has ended
    const late = reasonError('reset', `${this.endpoint} did not close within ${LINGER} ms`);
    this.#timer = backgroundTimer(this.#clock, () => this.destroy(late), LINGER);
  }

  destroy(error?: TransportError): void {
    this.#error ??= error;
    this.#socket.destroy(); // the other end sees an ordinary end: see "What to watch for"
  }

  #receive(buffer: Buffer): void {
    if (!this.#isEnding)
      return void this.#sink?.data(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length));
    this.#discarded += buffer.length;
    if (this.#discarded > DISCARD) this.#socket.destroy();
  }

  #report(): void {
    const sink = this.#sink;
    this.#sink = undefined; // once
    sink?.closed(this.#error);
  }
}

/** The milliseconds that an end waits for the other one, and the bytes that it drops meanwhile. */
const LINGER = 1_000;
const DISCARD = 256 * 1_024;
