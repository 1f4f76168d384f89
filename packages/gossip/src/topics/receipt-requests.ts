// Messages of other nodes for which the publisher asks for a receipt. Each receipt is sent once, as
// soon as the outcome is known.

import { type MessageId, messageKey } from '../messages/message-id.ts';
import type { DeliveryOutcome } from '../wire/relay-frames.ts';

/** The messages of one topic for which a receipt is requested. */
export class ReceiptRequests {
  readonly #tell: (id: MessageId, verdict: DeliveryOutcome) => void;
  /** Message keys → the peers that brought them; the oldest first. */
  readonly #messages = new Map<string, string>();

  constructor(tell: (id: MessageId, verdict: DeliveryOutcome) => void) {
    this.#tell = tell;
  }

  /** True if no receipt is requested, so that no key needs to be made. */
  get isEmpty(): boolean {
    return this.#messages.size === 0;
  }

  add(id: MessageId, from: string): void {
    this.#messages.set(messageKey(id), from);
    if (this.#messages.size <= MOST) return;
    for (const oldest of this.#messages.keys()) {
      this.#messages.delete(oldest);
      break;
    }
  }

  /** Sends a receipt, unless the outcome belongs to a copy that another peer sent. */
  answer(id: MessageId, from: string, verdict: DeliveryOutcome): void {
    const key = messageKey(id);
    if (this.#messages.get(key) !== from) return;
    this.#messages.delete(key);
    this.#tell(id, verdict);
  }

  clear(): void {
    this.#messages.clear();
  }
}

/**
 * Maximum number of messages that await their receipt: twice the default number of messages that
 * wait for a validator. Beyond that, the oldest request is not answered.
 */
const MOST = 8_192;
