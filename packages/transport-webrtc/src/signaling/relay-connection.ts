// A stream that the hub relays, as a StreamConnection: one duplex call, whose items are its bytes.

import { type Clock, type ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  backgroundTimer,
  reasonError,
  type StreamConnection,
  type StreamSink,
} from '@trunkline/transport-core/backend';
import { LONGEST_PIECE } from './protocol.ts';

/** One end of a relayed stream. Its owner (relay-layer.ts) sends the pieces of `outgoing`. */
export class RelayConnection implements StreamConnection {
  /** 'relay:' followed by the other node's id, so that logs show which path a connection uses. */
  readonly endpoint: string;
  readonly #incoming: AsyncIterator<Uint8Array>;
  readonly #abort: (error: TransportError) => void;
  readonly #clock: Clock;
  #sink: StreamSink | undefined;
  /** The chunk whose `write` returned false, until its last piece has been taken. */
  #chunk: Uint8Array | undefined;
  #isClosing = false;
  #isOver = false;
  #isPaused = false;
  #linger: ClockTimer | undefined;
  #wakeWriter: () => void = () => {};
  #wakeReader: () => void = () => {};

  /** @param abort ends the call immediately, in both directions. */
  constructor(
    peer: string,
    incoming: AsyncIterator<Uint8Array>,
    clock: Clock,
    abort: (error: TransportError) => void,
  ) {
    this.endpoint = `relay:${peer}`;
    this.#incoming = incoming;
    this.#abort = abort;
    this.#clock = clock;
  }

  /** Yields the bytes to send; ends with the connection. */
  async *outgoing(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = this.#chunk;
      if (chunk === undefined) {
        if (this.#isClosing || this.#isOver) return;
        await new Promise<void>((resolve) => {
          this.#wakeWriter = resolve;
        });
      } else {
        for (let at = 0; at < chunk.length; at += LONGEST_PIECE)
          yield chunk.slice(at, at + LONGEST_PIECE);
        this.#chunk = undefined;
        if (!this.#isOver) this.#sink?.drained();
      }
    }
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    void this.#read(sink);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isOver || this.#isClosing || chunk.length === 0) return true;
    this.#chunk = chunk;
    this.#wakeWriter();
    return false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wakeReader();
  }

  close(): void {
    if (this.#isClosing || this.#isOver) return;
    this.#isClosing = true;
    const late = () => this.destroy(this.#reset(`it did not close within ${LINGER} ms`));
    this.#linger = backgroundTimer(this.#clock, late, LINGER);
    this.#wakeWriter();
    this.resume();
  }

  destroy(error?: TransportError): void {
    if (this.#isOver) return;
    this.#abort(error ?? new TransportError('aborted', 'the connection was destroyed'));
    this.#finish(error);
  }

  async #read(sink: StreamSink): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#incoming.next();
        while (this.#isPaused && !this.#isOver)
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
        if (this.#isOver || done === true) return this.#finish();
        if (!this.#isClosing) sink.data(value.slice());
      }
    } catch (cause) {
      this.#finish(this.#reset('the relayed stream was cut', cause));
    }
  }

  /** Ends the connection. Defers `closed`, because `destroy` must not call it. */
  #finish(error?: TransportError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#clock.clearTimeout(this.#linger);
    this.#wakeWriter();
    this.#wakeReader();
    this.#clock.defer(() => this.#sink?.closed(error));
  }

  #reset(why: string, cause?: unknown): TransportError {
    return reasonError('reset', `${this.endpoint}: ${why}`, { cause });
  }
}

/** The time, in milliseconds, for which this end waits until the other end has ended. */
const LINGER = 1_000;
