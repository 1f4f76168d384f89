// Remembers the messages that this node published in its newest life. They are kept apart from the
// messages of other nodes, so that there is always room for them.

import { isMessageId, type MessageId } from '../messages/message-id.ts';
import {
  OriginWindow,
  type OriginWindowLimits,
  type SequenceVerdict,
} from '../messages/origin-window.ts';

export class OwnMessages {
  readonly #self: string;
  readonly #limits: OriginWindowLimits;
  /** The newest life; −1 if nothing was published yet. */
  #epoch = -1;
  #window = new OriginWindow();

  constructor(self: string, limits: OriginWindowLimits) {
    this.#self = self;
    this.#limits = limits;
  }

  /**
   * Notes a message that is being published. Throws a TypeError if the id belongs to another node,
   * or was used before.
   */
  publish(id: MessageId, now: number): void {
    if (!isMessageId(id) || id.origin !== this.#self)
      throw new TypeError("plumtree.publish: id: must be from this node's IdSource");
    if (id.epoch > this.#epoch) {
      this.#epoch = id.epoch;
      this.#window = new OriginWindow();
    }
    if (id.epoch === this.#epoch && this.#window.note(id.sequence, now, this.#limits) === 'new')
      return;
    throw new TypeError(
      `plumtree.publish: id: sequence ${id.sequence} of epoch ${id.epoch} or a later one was already published`,
    );
  }

  /**
   * Looks up an id with this node as its origin. `seen`: it was published. `old`: it belongs to an
   * earlier life, or is too old to determine. `new`: this node never published it.
   */
  look(id: MessageId, now: number): SequenceVerdict {
    if (id.epoch !== this.#epoch) return id.epoch > this.#epoch && this.#epoch >= 0 ? 'new' : 'old';
    return this.#window.look(id.sequence, now, this.#limits);
  }

  expire(now: number): void {
    this.#window.closeOld(now, this.#limits);
  }
}
