// Messages of others whose publisher asks what becomes of them: it is told once, as soon as that is known.

import { type MessageId, messageKey } from '../messages/message-id.ts';
import type { Verdict } from '../relay/wire.ts';

export class Asked {
  readonly #tell: (id: MessageId, verdict: Verdict) => void;
  /** By their keys, who brought them; the oldest first. */
  readonly #messages = new Map<string, string>();

  constructor(tell: (id: MessageId, verdict: Verdict) => void) {
    this.#tell = tell;
  }

  /** Most messages find none, and need no key. */
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

  /** Something became of a message. If it is a copy that somebody else brought, that says nothing. */
  answer(id: MessageId, from: string, verdict: Verdict): void {
    const key = messageKey(id);
    if (this.#messages.get(key) !== from) return;
    this.#messages.delete(key);
    this.#tell(id, verdict);
  }

  clear(): void {
    this.#messages.clear();
  }
}

/** Twice as many as wait for a validator by default; beyond that the oldest is not answered. */
const MOST = 8_192;
