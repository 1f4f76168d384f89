// A MessagePort of node:worker_threads as a StreamConnection, which adds back-pressure and an
// orderly end.

import type { MessagePort } from 'node:worker_threads';
import type { Clock, ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  backgroundTimer,
  reasonError,
  type StreamConnection,
  type StreamSink,
} from '@trunkline/transport-core/backend';

/**
 * A message: bytes, the number of bytes that the reader has taken, or the end. A port that closes
 * without an 'end' is a broken connection.
 */
type Message = { readonly bytes: Uint8Array } | { readonly taken: number } | 'end' | 'broken';

export class PortConnection implements StreamConnection {
  readonly endpoint: string;
  readonly #port: MessagePort;
  readonly #clock: Clock;
  #sink: StreamSink | undefined;
  /** Messages not yet reported, because the reader pauses. The other end's window bounds them. */
  readonly #messages: Message[] = [];
  #paused = false;
  /** Bytes written that the other end has not taken. */
  #underWay = 0;
  /** True if the last write returned false. */
  #waiting = false;
  /** Whether our end was sent. From then on, incoming bytes are acknowledged and dropped. */
  #ending = false;
  #discarded = 0;
  #linger: ClockTimer | undefined;
  #over = false;
  #error: TransportError | undefined;

  constructor(port: MessagePort, endpoint: string, clock: Clock) {
    this.endpoint = endpoint;
    this.#port = port;
    this.#clock = clock;
    port.on('message', (message: Message) => this.#arrived(message));
    port.on('close', () => this.#arrived('broken'));
  }

  ref(on: boolean): void {
    if (on) this.#port.ref();
    else this.#port.unref();
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#clock.defer(() => (this.#over ? this.#report() : this.#deliver()));
  }

  write(chunk: Uint8Array): boolean {
    if (this.#ending || this.#over || chunk.length === 0) return true;
    // A copy, which is transferred, so the writer may reuse its memory at once.
    const bytes = new Uint8Array(chunk);
    this.#port.postMessage({ bytes }, [bytes.buffer]);
    this.#underWay += chunk.length;
    this.#waiting = this.#underWay > WINDOW;
    return !this.#waiting;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    // Deferred, because nothing may be reported while the driver is still calling us.
    this.#clock.defer(() => this.#deliver());
  }

  close(): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    this.#port.postMessage('end');
    this.#linger = backgroundTimer(
      this.#clock,
      () => this.#finish(this.#reset(`it did not close within ${LINGER} ms`)),
      LINGER,
    );
    this.#clock.defer(() => this.#deliver());
  }

  destroy(error?: TransportError): void {
    this.#finish(error);
  }

  #arrived(message: Message): void {
    if (this.#over) return;
    if (typeof message === 'object' && 'taken' in message) return this.#taken(message.taken);
    this.#messages.push(message);
    this.#deliver();
  }

  #taken(size: number): void {
    this.#underWay -= size;
    if (!this.#waiting || this.#underWay > WINDOW) return;
    this.#waiting = false;
    this.#sink?.drained();
  }

  /**
   * Reports received messages while there is a reader. After our own end, we read and drop them
   * ourselves.
   */
  #deliver(): void {
    while (!this.#over && (this.#ending || (this.#sink !== undefined && !this.#paused))) {
      const message = this.#messages.shift();
      if (message === undefined) return;
      if (message === 'end') this.#ended();
      else if (message === 'broken')
        this.#finish(this.#reset('the other end reset the connection'));
      else if ('bytes' in message) this.#read(message.bytes);
    }
  }

  #read(bytes: Uint8Array): void {
    this.#port.postMessage({ taken: bytes.length });
    if (!this.#ending) return void this.#sink?.data(bytes);
    this.#discarded += bytes.length;
    if (this.#discarded > DISCARD)
      this.#finish(this.#reset('it floods a connection that has ended'));
  }

  /** A half-closed connection serves no purpose, so this end ends too. */
  #ended(): void {
    if (!this.#ending) this.#port.postMessage('end');
    this.#finish(undefined);
  }

  #finish(error: TransportError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#messages.length = 0;
    this.#clock.clearTimeout(this.#linger);
    // The port first delivers everything posted before, then tells the other end that it closed.
    this.#port.close();
    this.#clock.defer(() => this.#report());
  }

  #report(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.closed(this.#error);
  }

  #reset(why: string): TransportError {
    return reasonError('reset', `Connection with ${this.endpoint}: ${why}`, {
      target: this.endpoint,
    });
  }
}

/** Maximum number of bytes in flight in one direction before `write` returns false. */
const WINDOW = 256 * 1024;
/**
 * The time that an end waits for the other's end, in milliseconds, and the bytes that it drops
 * meanwhile: the same rule as in every layer.
 */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
