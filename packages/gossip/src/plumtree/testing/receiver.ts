// Recognizes duplicates before a Plumtree machine gets them, as the session of a topic does.

import { type MessageId, messageKey } from '../../messages/message-id.ts';
import { SeenMessages, type SeenVerdict } from '../../messages/seen-messages.ts';
import type { PlumtreeInput, Push } from '../message.ts';
import { type PlumtreeOptions, plumtreeOptions } from '../options.ts';

/** Decides which input a Plumtree machine gets for a message that a peer sent. */
export class Receiver {
  readonly #self: string;
  readonly #seen: SeenMessages;
  readonly #own = new Set<string>();
  /** The keys of the messages that the topic has refused. */
  readonly refused = new Set<string>();

  constructor(self: string, options: PlumtreeOptions = plumtreeOptions()) {
    const { idTime: retention, originTime: originRetention, origins, gaps } = options;
    this.#self = self;
    this.#seen = new SeenMessages({ retention, originRetention, origins, gaps });
  }

  readonly look = (id: MessageId, now: number): SeenVerdict => {
    if (this.refused.has(messageKey(id))) return 'old';
    if (id.origin !== this.#self) return this.#seen.look(id, now);
    return this.#own.has(messageKey(id)) ? 'seen' : 'old';
  };

  /**
   * Returns the input that the machine gets.
   * @param dropped called for a message that is refused
   */
  take<P>(
    input: PlumtreeInput<P>,
    now: number,
    dropped: (id: MessageId, from: string, reason: SeenVerdict) => void = () => {},
  ): PlumtreeInput<P> {
    if (input.type === 'publish') this.#own.add(messageKey(input.push.id));
    if (input.type === 'wake' && now >= this.#seen.due) this.#seen.expire(now);
    if (input.type !== 'received' || input.message.kind !== 'push') return input;
    const { from, message } = input;
    const { id } = message as Push<P>;
    const verdict = id.origin === this.#self ? this.look(id, now) : this.#seen.note(id, now, from);
    if (verdict === 'new') return input;
    if (verdict === 'seen') return { type: 'repeated', from, id };
    dropped(id, from, verdict);
    const mayCome = verdict !== 'old' && this.#seen.look(id, now) === 'new';
    return { type: 'dropped', from, id, mayCome };
  }
}
