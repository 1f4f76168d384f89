// A session over a hub: one duplex call, whose items are the messages.

import { TransportError } from '@trunkline/transport-core';
import type { SignalMessage, SignalReceiver, SignalSession } from '../signal.ts';
import type { MessageQueue } from './message-queue.ts';
import { decodeMessage, encodeEnd, encodeMessage, readEnd } from './session-message.ts';

/** One end of a session. Its owner sends the messages in `outgoing`, and then ends the call. */
export class HubSession implements SignalSession {
  readonly peer: string;
  readonly source: string | undefined;
  readonly #incoming: AsyncIterator<Uint8Array>;
  readonly #outgoing: MessageQueue;
  #receiver: SignalReceiver | undefined;
  #isReading = false;
  #isOver = false;

  constructor(
    peer: string,
    incoming: AsyncIterator<Uint8Array>,
    outgoing: MessageQueue,
    source?: string,
  ) {
    this.peer = peer;
    this.source = source;
    this.#outgoing = outgoing;
    this.#incoming = incoming;
  }

  attach(receiver: SignalReceiver): void {
    this.#receiver = receiver;
    this.#startReading();
  }

  send(message: SignalMessage): void {
    if (this.#isOver || this.#outgoing.push(encodeMessage(message))) return;
    this.#finish(
      new TransportError('resource_exhausted', 'the session has too many messages that wait'),
    );
  }

  close(error?: TransportError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outgoing.push(encodeEnd(error));
    this.#outgoing.end();
    this.#startReading(); // The call ends only when its items have been read.
  }

  #startReading(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#incoming.next();
        if (done === true) return this.#finish();
        const message = decodeMessage(value);
        const end = readEnd(message);
        if (end !== undefined) return this.#finish(end.error);
        if (!this.#isOver) this.#receiver?.message(message);
      }
    } catch (error) {
      this.#finish(error as TransportError);
    }
  }

  #finish(error?: TransportError): void {
    this.#outgoing.end();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#receiver?.closed(error);
  }
}
