// Wraps one TCP socket, plain or under TLS, as a StreamConnection. Writes report when their memory
// is free again, and a graceful close loses no data. Tested in stream-layer.test.ts,
// tcp-stream-layer.test.ts and reused-memory.test.ts.

import type { Socket } from 'node:net';
import type { Clock, ClockTimer, TransportError } from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';
import {
  backgroundTimer,
  formatHostPort,
  freeChunk,
  type StreamConnection,
  type StreamSink,
  socketError,
  stackless,
} from '@trunkline/transport-core/backend';
import { type TlsConnection, tlsConnectionError } from '@trunkline/transport-core/node';
import type { SocketReader } from './read-buffer.ts';

/** The phases of a connection. */
type Phase =
  | { readonly name: 'open' }
  /**
   * ending: this end has sent its FIN, or will send it when its data is flushed; data that arrives
   * is discarded.
   */
  | {
      readonly name: 'ending';
      /** Destroys the socket if the other end takes too long. */
      timer: ClockTimer;
      discarded: number;
      /** The other end has ended, too, so the end of the socket is not an error. */
      isMutual: boolean;
    }
  /** This end aborted the connection. */
  | { readonly name: 'destroyed' }
  | { readonly name: 'closed' };

/**
 * Wraps a socket that is connected and has `allowHalfOpen`. From here on the socket belongs to the
 * connection, including its errors. A dialed plain socket must be paused, because its reader has no
 * sink yet.
 */
export class TcpConnection implements StreamConnection {
  readonly endpoint: string;
  readonly reuses: boolean;
  /** Not set under TLS, which would copy the chunks into one. */
  readonly writeAll?: (chunks: readonly Uint8Array[]) => boolean;
  readonly #socket: Socket;
  /** Set only on dialed plain sockets, which read into the shared buffer. */
  readonly #reader: SocketReader | undefined;
  /** Set only under TLS: the underlying socket, and the proven identity of the other end. */
  readonly #secured: TlsConnection | undefined;
  readonly #clock: Clock;
  #sink: StreamSink | undefined;
  #phase: Phase = OPEN;
  /**
   * True while reading is paused. If `pause` follows `resume` in one turn, Node keeps reading, so
   * the reader checks this flag too.
   */
  #paused = false;
  /** True if a write returned false and its chunk has not been sent yet. */
  #waiting = false;
  /** The first error of the socket, or the one with which this end destroyed it. */
  #error: TransportError | undefined;

  constructor(
    socket: Socket,
    clock: Clock,
    { reader, secured }: { readonly reader?: SocketReader; readonly secured?: TlsConnection } = {},
  ) {
    this.endpoint =
      socket.remoteAddress === undefined
        ? 'a peer that is gone'
        : formatHostPort(socket.remoteAddress, socket.remotePort ?? 0);
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
    if (this.#phase === CLOSED) this.#clock.defer(() => this.#report());
    else if (this.#phase === OPEN) this.#read();
  }

  #read(): void {
    if (this.#reader === undefined) return void this.#socket.on('data', this.#data);
    const copies = this.#sink?.copies === true;
    this.#reader.start((chunk) => {
      if (copies) this.#receive(chunk);
      else this.#data(chunk.slice());
      return !this.#paused;
    });
    this.#socket.resume();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#phase !== OPEN || this.#socket.destroyed) return true;
    if (this.#secured !== undefined) return this.#writeSecured(chunk);
    this.#socket.write(chunk, this.#written);
    return this.#isOut();
  }

  /** Writes all chunks with one `writev`. */
  readonly #writeAll = (chunks: readonly Uint8Array[]): boolean => {
    if (this.#phase !== OPEN || this.#socket.destroyed) return true;
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk, this.#written);
    this.#socket.uncork();
    return this.#isOut();
  };

  /**
   * Returns true if the kernel has taken everything. Node tries the system call before write()
   * returns, so an empty write queue means that the kernel has.
   */
  #isOut(): boolean {
    this.#waiting = this.#socket.writableLength > 0;
    return !this.#waiting;
  }

  /**
   * Writes under TLS. If nothing was queued, Node has read the chunk when write() returns, although
   * it reports this only a turn later; chunks queued behind it stay in Node's queue.
   */
  #writeSecured(chunk: Uint8Array): boolean {
    const held = this.#socket.writableLength;
    // A small chunk is copied into the queue; otherwise a second write in one turn would wait for
    // the next turn.
    const isCopied = held > 0 && held <= HELD && chunk.length <= COPIED;
    this.#socket.write(isCopied ? chunk.slice() : chunk, this.#written);
    this.#waiting = held > 0 && !isCopied;
    return !this.#waiting;
  }

  pause(): void {
    if (this.#phase !== OPEN) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#phase === OPEN) this.#socket.resume();
  }

  ref(on: boolean): void {
    if (on) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    if (this.#phase !== OPEN) return;
    this.#end(false);
    // Closing with unread bytes would send RST, which destroys flushed data at the other end. So
    // unread bytes are read and discarded.
    if (this.#sink === undefined) this.#read();
    this.#paused = false;
    this.#socket.resume();
  }

  destroy(error?: TransportError): void {
    const { name } = this.#phase;
    if (name === 'closed' || this.#socket.destroyed) return;
    this.#enter(DESTROYED);
    this.#error ??= error;
    if (name !== 'open') return void this.#socket.destroy();
    // Sends RST instead of FIN, because the other end must not mistake an aborted stream for one
    // that ended. (After our FIN, Node cannot send RST.)
    if (this.#secured === undefined) this.#socket.resetAndDestroy();
    else this.#secured.reset();
  }

  /** Changes the phase, and cancels the timer of the previous phase. */
  #enter(next: Phase): void {
    if (this.#phase.name === 'ending') this.#clock.clearTimeout(this.#phase.timer);
    this.#phase = next;
  }

  readonly #data = (buffer: Bytes): void => {
    const chunk = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    if (this.#receive(chunk)) freeChunk(chunk);
  };

  /** Returns true if the sink has finished with the chunk. */
  readonly #receive = (chunk: Uint8Array): boolean => {
    const phase = this.#phase;
    if (phase === OPEN) return this.#sink?.data(chunk) === true;
    if (phase.name !== 'ending') return false;
    phase.discarded += chunk.length;
    if (phase.discarded > DISCARD) this.#socket.destroy();
    return false;
  };

  readonly #written = (error?: Error | null): void => {
    if (error || !this.#waiting || this.#socket.writableLength > 0) return;
    this.#waiting = false;
    this.#sink?.drained();
  };

  /**
   * Handles a FIN. A half-closed connection is of no use, so this end flushes what was written and
   * ends too.
   */
  #ended(): void {
    if (this.#phase.name === 'ending') this.#phase.isMutual = true;
    else if (this.#phase === OPEN) this.#end(true);
  }

  /**
   * Sends a FIN behind the buffered data. Destroys the socket if it is still open after one LINGER
   * period, or after two if data is still buffered at the end of the first.
   */
  #end(isMutual: boolean): void {
    const phase: Phase = { name: 'ending', timer: undefined, discarded: 0, isMutual };
    this.#enter(phase);
    this.#socket.end();
    const wait = (callback: () => void) => {
      phase.timer = backgroundTimer(this.#clock, callback, LINGER);
    };
    wait(() => {
      if (this.#socket.writableLength === 0) this.#socket.destroy();
      else wait(() => this.#socket.destroy());
    });
  }

  #closed(): void {
    const phase = this.#phase;
    const isExpected = phase.name === 'ending' ? phase.isMutual : phase.name === 'destroyed';
    this.#enter(CLOSED);
    this.#secured?.release();
    if (!isExpected)
      this.#error ??= stackless(
        'unavailable',
        `Connection with ${this.endpoint}: the other end did not close it cleanly`,
        { reason: 'reset', target: this.endpoint },
      );
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

const OPEN: Phase = Object.freeze({ name: 'open' });
const DESTROYED: Phase = Object.freeze({ name: 'destroyed' });
const CLOSED: Phase = Object.freeze({ name: 'closed' });
/**
 * Limits of `#writeSecured`, in bytes: the maximum size of a chunk that is copied, and the maximum
 * that may be queued before it.
 */
const COPIED = 16 * 1024;
const HELD = 64 * 1024;
/**
 * The time for which `#end` waits, in milliseconds, and the number of bytes that a closing end
 * discards meanwhile (docs/wire-protocol.md §8). If more arrive, it destroys the socket.
 */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
