// A connection over two NATS subjects as a StreamConnection. NATS has neither back-pressure nor a
// graceful end for a subject, so this class adds credit, which the reader grants, and an end.

import { type Clock, type ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  backgroundTimer,
  reasonError,
  type StreamConnection,
  type StreamSink,
} from '@trunkline/transport-core/backend';
import {
  createMessage,
  HEADER,
  MessageType,
  MOST_CREDIT,
  MOST_FIRST,
  OVERHEAD,
  readNumber,
  writeNumber,
} from './message.ts';
import type { LinkOwner, MessageLink } from './message-link.ts';
import { ReceiveWindow } from './receive-window.ts';

/** The units with which a connection begins. */
export interface Credit {
  /** The number of units that this end has granted to the peer. */
  readonly granted: number;
  /** The number of units that the peer has granted to this end. */
  readonly credit: number;
}

/** The rest of a dial after the acceptor's answer, at the dialing end. */
export interface Opening {
  /** The beginning of the content of `confirm`; the first bytes that are written follow it. */
  readonly confirmation: Uint8Array;
  /**
   * Receives the message that answers `confirm`. Returns an error if the dial has failed; otherwise
   * it has set the peer's new subject with `MessageLink.meet`. Called at most once.
   */
  answered(type: number, content: Uint8Array, reply: string): TransportError | undefined;
}

export class NatsStreamConnection implements StreamConnection, LinkOwner {
  readonly endpoint: string;
  readonly #link: MessageLink;
  readonly #clock: Clock;
  readonly #window: ReceiveWindow;
  #sink: StreamSink | undefined;
  /** Received chunks that were not reported yet, because the reader has paused. */
  readonly #unread: (Uint8Array | 'end')[] = [];
  /** True before `attach` and from `pause` to `resume`: chunks are kept. */
  #isPaused = true;
  /** The number of units that this end may still spend. */
  #credit: number;
  /** The chunks that were not sent yet, beginning with the first unsent byte. */
  #rest: Uint8Array[] = [];
  /** True after a `write` that returned false, until `drained` is called. */
  #isBlocked = false;
  /** True if `close` was called: received bytes are acknowledged and dropped. */
  #isEnding = false;
  #endSent = false;
  #discarded = 0;
  #linger: ClockTimer | undefined;
  /** Set at the dialing end until the peer has answered the confirmation. */
  #opening: Opening | undefined;
  /** True once the confirmation was sent. */
  #isConfirmed = false;
  #isOver = false;
  #error: TransportError | undefined;

  constructor(
    link: MessageLink,
    endpoint: string,
    { granted, credit }: Credit,
    clock: Clock,
    opening?: Opening,
  ) {
    this.endpoint = endpoint;
    this.#link = link;
    this.#credit = credit;
    this.#clock = clock;
    this.#window = new ReceiveWindow(link.client.credit, granted, clock);
    this.#opening = opening;
    link.handTo(this);
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#isPaused = false;
    this.#clock.defer(() => (this.#isOver ? this.#report() : this.#deliver()));
  }

  write(chunk: Uint8Array): boolean {
    return this.#write(chunk.length === 0 ? [] : [chunk]);
  }

  readonly writeAll = (chunks: readonly Uint8Array[]): boolean =>
    this.#write(chunks.filter((chunk) => chunk.length > 0));

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
    this.#linger = this.#clock.setTimeout(
      () => this.destroy(this.#reset(`it did not close within ${LINGER} ms`)),
      LINGER,
    );
    this.#pump();
    this.#clock.defer(() => this.#deliver());
  }

  destroy(error?: TransportError): void {
    if (!this.#isOver && this.#opening === undefined) this.#link.send(MessageType.reset);
    this.#finish(error);
  }

  #write(chunks: Uint8Array[]): boolean {
    if (this.#isEnding || this.#isOver || chunks.length === 0) return true;
    this.#rest.push(...chunks);
    this.#pump();
    this.#isBlocked = this.#rest.length > 0;
    return !this.#isBlocked;
  }

  /** Sends as much of the rest as the credit allows, then the end message. */
  #pump(): void {
    let left = 0;
    for (const chunk of this.#rest) left += chunk.length;
    if (this.#opening !== undefined) return this.#confirm(this.#opening.confirmation, left);
    while (left > 0) {
      const most = this.#link.room;
      const size = Math.min(this.#whole(left, most), this.#credit - OVERHEAD);
      // The overhead of a tiny message exceeds its data.
      if (size < Math.min(left, most, CRUMB)) return;
      this.#sendData(size);
      left -= size;
    }
    if (this.#isEnding) this.#sendEnd();
  }

  /**
   * Returns the length of the next message, at most `most`. If at least CRUMB bytes fit, it ends
   * between two chunks, but not after one below SHORT, which can be a frame's header, so that the
   * reader need not join header and payload. `#pump` cuts it if there is less credit.
   */
  #whole(left: number, most: number): number {
    if (left <= most) return left;
    let size = 0;
    for (let at = 0; ; at++) {
      const { length } = this.#rest[at]!;
      const next = length < SHORT ? length + (this.#rest[at + 1]?.length ?? 0) : length;
      if (size + next > most) return size < CRUMB ? most : size;
      size += length;
    }
  }

  /** Sends the first bytes with the confirmation; the rest waits for the answer. */
  #confirm(confirmation: Uint8Array, left: number): void {
    if (left === 0 && this.#isEnding && !this.#isConfirmed) return this.#finish(undefined);
    if (left === 0 || this.#isConfirmed) return;
    this.#isConfirmed = true;
    const most = Math.min(this.#link.room - confirmation.length, MOST_FIRST);
    this.#sendData(this.#whole(left, most), MessageType.confirm, confirmation);
  }

  /** Sends the next `size` bytes of the rest in one message, after the bytes of `head`. */
  #sendData(size: number, type: number = MessageType.data, head: Uint8Array = EMPTY): void {
    const message = this.#link.create(type, head.length + size);
    message.set(head, HEADER);
    let at = HEADER + head.length;
    let taken = 0;
    while (at < message.length) {
      const chunk = this.#rest[taken]!;
      const room = message.length - at;
      if (chunk.length <= room) {
        message.set(chunk, at);
        taken++;
      } else {
        message.set(chunk.subarray(0, room), at);
        this.#rest[taken] = chunk.subarray(room);
      }
      at += Math.min(chunk.length, room);
    }
    this.#rest.splice(0, taken);
    this.#credit -= size + OVERHEAD;
    this.#link.publish(message);
  }

  #sendEnd(): void {
    if (this.#endSent) return;
    this.#endSent = true;
    this.#link.send(MessageType.end);
  }

  message(type: number, content: Uint8Array, reply = () => ''): void {
    if (this.#isOver) return;
    if (this.#opening !== undefined) {
      const error = this.#opening.answered(type, content, reply());
      this.#opening = undefined;
      if (error !== undefined) return this.#finish(error);
    }
    switch (type) {
      case MessageType.data:
      case MessageType.end:
        // Ends cost no credit, so a peer could fill the memory of a paused reader with them.
        if (this.#unread.at(-1) === 'end') return this.#misbehaved('it sent more after its end');
        if (type === MessageType.data) return this.#data(content);
        if (content.length > 0) return this.#misbehaved('its end has content');
        this.#unread.push('end');
        return this.#deliver();
      case MessageType.credit:
        return this.#granted(content);
      case MessageType.probe:
        if (content.length > 0) return this.#misbehaved('its probe has content');
        // It counts toward a flood.
        return void this.#sink?.data(content);
      case MessageType.reset:
        return this.#finish(this.#reset('the other end reset the connection'));
      default:
        return this.#misbehaved(`it sent a message of type ${type}`);
    }
  }

  /**
   * Called when the peer has no subscription anymore. If this end has already ended, this is how a
   * peer closes.
   */
  absent(): void {
    // Messages that arrived before the end are still reported, once reading resumes.
    if (this.#isOver || this.#unread.includes('end')) return;
    this.#finish(this.#endSent ? undefined : this.#reset('the other end is gone'));
  }

  failed(error: TransportError): void {
    if (this.#isOver) return;
    const { code, reason, message, cause } = error;
    this.destroy(
      new TransportError(code, `Connection with ${this.endpoint}: ${message}`, {
        reason,
        target: this.endpoint,
        cause,
      }),
    );
  }

  doubt(): void {
    if (this.#isOver || this.#endSent) return;
    // Before the peer's answer, there is no connection whose messages are numbered.
    if (this.#opening === undefined) this.#link.send(MessageType.probe);
    else if (this.#isConfirmed) this.#link.publish(createMessage(0, MessageType.probe, 0));
  }

  leave(text: string): void {
    if (!this.#isEnding && !this.#isOver) this.#sink?.leave?.(text);
  }

  #data(content: Uint8Array): void {
    if (!this.#window.receive(content.length))
      return this.destroy(
        new TransportError(
          'resource_exhausted',
          `Connection with ${this.endpoint}: it sent more than its credit allows`,
          { target: this.endpoint },
        ),
      );
    this.#unread.push(content);
    this.#deliver();
  }

  #granted(content: Uint8Array): void {
    const units = content.length === 4 ? readNumber(content, 0) : 0;
    if (units === 0 || this.#credit + units > MOST_CREDIT)
      return this.#misbehaved('it granted a wrong amount of credit');
    this.#credit += units;
    this.#pump();
    if (!this.#isBlocked || this.#rest.length > 0 || this.#isOver) return;
    this.#isBlocked = false;
    if (!this.#isEnding) this.#sink?.drained();
  }

  #misbehaved(why: string): void {
    this.destroy(this.#reset(why, 'malformed'));
  }

  /**
   * Reports received chunks while there is a reader. After this end has ended, they are dropped
   * here.
   */
  #deliver(): void {
    while (!this.#isOver && (this.#isEnding || !this.#isPaused)) {
      const next = this.#unread.shift();
      if (next === undefined) return;
      if (next === 'end') return this.#ended();
      this.#grant(this.#window.consume(next.length));
      if (!this.#isEnding) this.#sink?.data(next);
      else if ((this.#discarded += next.length) > DISCARD)
        return this.destroy(this.#reset('it continued to write after the end'));
    }
  }

  #grant(units: number): void {
    if (units === 0) return;
    const message = this.#link.create(MessageType.credit, 4);
    writeNumber(message, HEADER, units);
    this.#link.publish(message);
  }

  /**
   * Handles the end of the peer's stream. A half-closed connection serves no purpose, so this end
   * ends, too, and drops what it has not sent.
   */
  #ended(): void {
    this.#rest = [];
    this.#sendEnd();
    this.#finish(undefined);
  }

  #finish(error: TransportError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#unread.length = 0;
    this.#rest = [];
    this.#clock.clearTimeout(this.#linger);
    this.#window.close();
    if (this.#opening !== undefined && this.#isConfirmed) this.#endLater(this.#opening);
    else this.#link.close();
    this.#clock.defer(() => this.#report());
  }

  /** The peer may have a connection by now. This end resets it as soon as it knows its subject. */
  #endLater(opening: Opening): void {
    const close = () => {
      this.#clock.clearTimeout(timer);
      this.#link.close();
    };
    const timer = backgroundTimer(this.#clock, close, LINGER);
    this.#link.handTo({
      message: (type, content, reply) => {
        if (opening.answered(type, content, reply()) === undefined)
          this.#link.send(MessageType.reset);
        close();
      },
      absent: close,
      failed: close,
    });
  }

  #report(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.closed(this.#error);
  }

  #reset(why: string, reason: 'reset' | 'malformed' = 'reset'): TransportError {
    return reasonError(reason, `Connection with ${this.endpoint}: ${why}`, {
      target: this.endpoint,
    });
  }
}

const EMPTY = new Uint8Array(0);
/**
 * Minimum size of the content of a message that is not the last one of a write, in bytes: if the
 * credit allows less, the message waits.
 */
const CRUMB = 8 * 1024;
/** The length, in bytes, below which a chunk can be a header. */
const SHORT = 64;
/**
 * The time, in milliseconds, for which an end waits until the other end has ended or has answered
 * `confirm`, and the number of bytes that it drops before it resets (docs/wire-nats.md).
 */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
