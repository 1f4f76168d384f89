// A connection whose handshake is complete: plaintext above, records on the underlying connection.

import type { Clock, ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  backgroundTimer,
  freeChunk,
  reasonError,
  type StreamConnection,
  type StreamSink,
} from '@trunkline/transport-core/backend';
import type { NodeIdFilter } from '../identity/node-filter.ts';
import type { Buffers } from './buffers.ts';
import type { ByteSink } from './forwarding-sink.ts';
import type { CipherState } from './framework/cipher-state.ts';
import type { SecureChannel } from './wire/greeting.ts';
import { RecordCutter } from './wire/record-cutter.ts';
import {
  MOST_PLAINTEXT,
  MOST_RECORDS,
  openRecord,
  RECORD_OVERHEAD,
  sealRecord,
} from './wire/records.ts';

/** The objects that all connections of a layer, or of all layers of a `secured()`, share. */
export interface LayerResources {
  readonly clock: Clock;
  readonly buffers: Buffers;
  readonly peers: NodeIdFilter;
}

/** The state with which a connection begins after the handshake. */
export interface NoiseConnectionInit {
  readonly inner: StreamConnection;
  readonly channel: SecureChannel;
  readonly refused: TransportError | undefined;
  /**
   * True if the last handshake message has not been sent yet, so the underlying connection will
   * call `drained`.
   */
  readonly blocked: boolean;
  /**
   * Chunks received after the handshake, which belong to the connection now. If Opening has paused
   * the underlying connection, there is at least one: the connection resumes it after reading them.
   */
  readonly arrived: Uint8Array[];
}

/**
 * A secured connection. Opening creates it when the handshake is complete, and passes it the events
 * of the underlying connection.
 */
export class NoiseConnection implements StreamConnection, ByteSink {
  readonly endpoint: string;
  readonly nodeId: string | undefined;
  readonly binding: Uint8Array;
  refused: TransportError | undefined;
  readonly ref: StreamConnection['ref'];
  readonly #host: LayerResources;
  readonly #inner: StreamConnection;
  readonly #send: CipherState;
  readonly #receive: CipherState;
  readonly #cutter = new RecordCutter(freeChunk);
  #sink: StreamSink | undefined = undefined;
  /**
   * 'ending': nothing more is written or handed out; 'over': the underlying connection has ended.
   */
  #state: 'open' | 'ending' | 'over' = 'open';
  /** The error with which the connection ends. */
  #error: TransportError | undefined = undefined;
  /**
   * True if the other end has marked its stream as complete, or if this end wants no more data, so
   * that an early end of the underlying connection is not an error.
   */
  #explained = false;
  /**
   * True if the other end has marked its stream as complete. Whatever happens to the underlying
   * connection, this connection has ended normally.
   */
  #whole = false;
  #destroyed = false;
  /** Received chunks that wait for a sink, for `resume`, or for the turn that reads them. */
  #inbox: Uint8Array[] | undefined;
  #paused = false;
  #scheduled = false;
  /** Set once the underlying connection has ended; chunks in `#inbox` are still read first. */
  #ended: { readonly error: TransportError | undefined } | undefined = undefined;
  /** True until the underlying connection calls `drained`; nothing is written until then. */
  #blocked: boolean;
  /** The ciphertext that the underlying connection keeps until then. */
  #kept: Uint8Array | undefined = undefined;
  /** The part of the last write that is not encrypted yet. */
  #unsent: Uint8Array | undefined = undefined;
  /** True if the last write returned false, so this connection must call `drained`. */
  #owed = false;
  #discarded = 0;
  #timer: ClockTimer | undefined = undefined;

  constructor(
    host: LayerResources,
    { inner, channel, refused, blocked, arrived }: NoiseConnectionInit,
  ) {
    this.#host = host;
    this.#inner = inner;
    this.endpoint = inner.endpoint;
    this.nodeId = channel.nodeId;
    this.binding = channel.binding;
    this.refused = refused;
    this.ref = inner.ref?.bind(inner);
    this.#send = channel.send;
    this.#receive = channel.receive;
    this.#blocked = blocked;
    this.#inbox = arrived.length === 0 ? undefined : arrived;
  }

  get attachment(): object | undefined {
    return this.#inner.attachment;
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    if (this.#inbox !== undefined || this.#state === 'over') this.#schedule();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#state !== 'open' || chunk.length === 0) return true;
    if (this.#blocked) this.#unsent = chunk;
    else if (this.#encrypt(chunk)) return true;
    this.#owed = true;
    return false;
  }

  pause(): void {
    if (this.#state !== 'open') return;
    this.#paused = true;
    this.#inner.pause();
  }

  resume(): void {
    if (this.#state !== 'open') return;
    this.#paused = false;
    if (this.#inbox === undefined) this.#inner.resume();
    else this.#schedule();
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#leave();
    if (this.#ended !== undefined) return this.#schedule();
    if (!this.#blocked) return this.#finish();
    // Accepted data is flushed first. The other end may not read before this end has read, so
    // reading resumes.
    this.#inner.resume();
    this.#timer = backgroundTimer(
      this.#host.clock,
      () => this.destroy(this.#reset('written data was not accepted within a second')),
      LINGER,
    );
  }

  destroy(error?: TransportError): void {
    if (this.#state === 'over' || this.#destroyed) return;
    this.#destroyed = true;
    this.#error ??= error;
    this.#leave();
    this.#stopTimer();
    this.#unsent = undefined;
    if (this.#ended !== undefined) this.#schedule();
    else this.#inner.destroy(error);
  }

  /**
   * Called when this end no longer wants the peer: by `NodeIdFilter.update`, and when the
   * underlying layer revokes it. Destroys the connection if its sink has no `revoked`.
   */
  revoke(error: TransportError): void {
    if (this.#sink === undefined) this.refused ??= error;
    else if (this.#sink.revoked === undefined) this.destroy(error);
    else if (this.#state === 'open') this.#sink.revoked(error);
  }

  // Events of the underlying connection.

  data(chunk: Uint8Array): void {
    if (this.#state !== 'open') return this.#discard(chunk.length);
    if (chunk.length === 0) return void this.#sink?.data(chunk);
    if (this.#inbox !== undefined || this.#paused || this.#sink === undefined) {
      this.#inbox ??= [];
      this.#inbox.push(new Uint8Array(chunk));
      if (this.#sink === undefined) this.#inner.pause();
      return;
    }
    this.#cutter.feed(chunk);
    if (this.#read()) return;
    this.#cutter.keep();
    this.#inbox = [];
  }

  drained(): void {
    this.#blocked = false;
    if (this.#kept !== undefined) this.#host.buffers.give(this.#kept);
    this.#kept = undefined;
    const unsent = this.#unsent;
    this.#unsent = undefined;
    if (unsent !== undefined && !this.#encrypt(unsent)) return;
    // An earlier close() has waited for this.
    if (this.#timer !== undefined) return this.#finish();
    if (this.#state !== 'open' || !this.#owed) return;
    this.#owed = false;
    this.#sink?.drained();
  }

  revoked(error: TransportError): void {
    this.revoke(error);
  }

  leave(text: string): void {
    if (this.#state === 'open') this.#sink?.leave?.(text);
  }

  closed(error?: TransportError): void {
    this.#ended = { error };
    if (this.#state === 'ending' || this.#inbox === undefined) this.#conclude();
  }

  // Writing.

  /**
   * Encrypts and writes a chunk. Returns false if the underlying connection keeps the ciphertext;
   * the rest of the chunk waits for `drained`.
   */
  #encrypt(chunk: Uint8Array): boolean {
    const { buffers } = this.#host;
    for (let at = 0; at < chunk.length; ) {
      const buffer = buffers.take(chunk.length - at);
      let used = 0;
      while (at < chunk.length && buffer.length - used > RECORD_OVERHEAD) {
        // The last record of a direction is reserved for its end.
        if (this.#send.n >= MOST_RECORDS - 1) return this.#exhausted(buffer);
        const end = Math.min(
          at + Math.min(MOST_PLAINTEXT, buffer.length - used - RECORD_OVERHEAD),
          chunk.length,
        );
        used += sealRecord(
          this.#send,
          at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end),
          buffer,
          used,
        );
        at = end;
      }
      if (!this.#inner.write(used === buffer.length ? buffer : buffer.subarray(0, used))) {
        this.#blocked = true;
        this.#kept = buffer;
        this.#unsent = at < chunk.length ? chunk.subarray(at) : undefined;
        return false;
      }
      buffers.give(buffer);
    }
    return true;
  }

  #exhausted(buffer: Uint8Array): true {
    this.#host.buffers.give(buffer);
    this.destroy(
      this.#reset(`${MOST_RECORDS} records were sent and the nonces are used up: connect again`),
    );
    return true;
  }

  /** Marks the stream as complete with an empty record, and closes. */
  #finish(): void {
    this.#stopTimer();
    const end = new Uint8Array(RECORD_OVERHEAD);
    sealRecord(this.#send, NOTHING, end, 0);
    this.#inner.write(end);
    this.#inner.close();
  }

  // Reading.

  /** Hands out the complete records. Returns false if some of them must wait. */
  #read(): boolean {
    const { joint } = this.#host.buffers;
    for (
      let message = this.#cutter.next(joint);
      message !== undefined;
      message = this.#cutter.next(joint)
    ) {
      const plaintext = openRecord(this.#receive, message);
      if (plaintext === undefined) this.#forged();
      else if (plaintext.length === 0) this.#completed();
      else if (this.#sink?.data(plaintext) === true) freeChunk(plaintext);
      if (this.#state !== 'open') return true;
      if (this.#paused) return false;
    }
    return true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#host.clock.defer(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#state === 'open') this.#readInbox();
    else if (this.#state === 'over') this.#report();
    else if (this.#ended !== undefined) this.#conclude();
  }

  #readInbox(): void {
    if (this.#paused || this.#sink === undefined) return;
    while (this.#read()) {
      const chunk = this.#state === 'open' ? this.#inbox?.shift() : undefined;
      if (chunk !== undefined) this.#cutter.feed(chunk);
      else {
        this.#inbox = undefined;
        if (this.#ended !== undefined) this.#conclude();
        else if (this.#state === 'open') this.#inner.resume();
        return;
      }
    }
  }

  /** Handles the empty record: everything that the other end wrote has arrived. */
  #completed(): void {
    this.#whole = true;
    this.#leave();
    this.#unsent = undefined;
    this.#inner.close();
  }

  #forged(): void {
    this.destroy(
      this.#reset(
        'a record is not authentic: it was altered, or is not the next record of this connection',
      ),
    );
  }

  /**
   * Discards input that arrives after this end has closed but before it has flushed; after that,
   * the underlying connection discards input.
   */
  #discard(length: number): void {
    this.#discarded += length;
    if (this.#discarded > DISCARD) this.destroy(this.#reset('the other end continued to write'));
  }

  // Ending.

  /** Stops writing and handing out, from here on. */
  #leave(): void {
    this.#state = 'ending';
    this.#explained = true;
    this.#paused = false;
    this.#inbox = undefined;
    this.#cutter.clear();
    this.#host.peers.forget(this);
  }

  #conclude(): void {
    const { error } = this.#ended!;
    if (this.#error === undefined && !this.#whole) {
      this.#error =
        error ??
        (this.#explained
          ? undefined
          : this.#reset('it was truncated: the end of the stream is missing'));
    }
    this.#leave();
    this.#state = 'over';
    this.#stopTimer();
    this.#kept = undefined;
    this.#unsent = undefined;
    this.#report();
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#host.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #report(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#sink = undefined;
    sink.closed(this.#error);
  }

  #reset(what: string): TransportError {
    return reasonError('reset', `Connection with ${this.endpoint}: ${what}`, {
      target: this.endpoint,
    });
  }
}

/**
 * The time for which an end waits to flush, in milliseconds, and the number of bytes that it
 * discards during that time. After the flush, the underlying connection waits for the other end and
 * discards its data.
 */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
const NOTHING = new Uint8Array(0);
