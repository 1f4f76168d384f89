// Sessions over WAMP: one call, whose arguments are the offer and whose result is the answer, in
// the form in which Babble sends them.

import { TransportError } from '@trunkline/transport-core';
import type { SignalMessage, SignalReceiver, SignalSession } from '../signal.ts';

/** The session of the node that calls. */
export class CallerSession implements SignalSession {
  readonly peer: string;
  readonly #call: (offer: string) => Promise<unknown>;
  #receiver: SignalReceiver | undefined;
  #isOver = false;

  /**
   * @param call calls the other node with an offer, and resolves to the arguments of its result.
   */
  constructor(peer: string, call: (offer: string) => Promise<unknown>) {
    this.peer = peer;
    this.#call = call;
  }

  attach(receiver: SignalReceiver): void {
    this.#receiver = receiver;
  }

  send(message: SignalMessage): void {
    if (!this.#isOver && message.type === 'offer') void this.#offer(message);
  }

  /** Ignores the answer from now on. The call still waits for it, or for its timeout. */
  close(): void {
    this.#isOver = true;
  }

  async #offer(offer: SignalMessage): Promise<void> {
    try {
      const result = await this.#call(JSON.stringify(offer));
      const answer = readDescription(Array.isArray(result) ? result[0] : undefined);
      if (!this.#isOver) this.#receiver?.message(answer);
    } catch (error) {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#receiver?.closed(error as TransportError);
    }
  }
}

/** The session of the node that is called. */
export class CalleeSession implements SignalSession {
  readonly peer: string;
  readonly #offer: unknown;
  readonly #answer: (answer: string | TransportError) => void;
  #receiver: SignalReceiver | undefined;
  #isOver = false;

  /** @param answer receives the answer, or the reason why there is none; called once. */
  constructor(peer: string, offer: unknown, answer: (answer: string | TransportError) => void) {
    this.peer = peer;
    this.#offer = offer;
    this.#answer = answer;
  }

  attach(receiver: SignalReceiver): void {
    this.#receiver = receiver;
    receiver.message(this.#offer);
  }

  send(message: SignalMessage): void {
    if (this.#isOver || message.type !== 'answer') return;
    this.#isOver = true;
    this.#answer(JSON.stringify(message));
  }

  close(error?: TransportError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#answer(error ?? new TransportError('aborted', 'the node closed the session'));
  }

  /** Ends the session because the router's session has ended, or it has lasted too long. */
  cut(error: TransportError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#receiver?.closed(error);
  }
}

/** Returns a description in JSON as an unchecked value; throws `internal` if it is not JSON. */
export function readDescription(text: unknown): unknown {
  try {
    return JSON.parse(text as string);
  } catch (cause) {
    throw new TransportError('internal', "the other node sent a description that isn't JSON", {
      reason: 'malformed',
      cause,
    });
  }
}
