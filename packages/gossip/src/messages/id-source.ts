// Names what one node publishes in one life.

import { isMessageId, LARGEST_NUMBER, type MessageId } from './message-id.ts';

export interface IdSourceOptions {
  /** The node id of the publisher. */
  readonly origin: string;
  /** Greater than in any life before: others refuse what has a smaller one than they have heard. */
  readonly epoch: number;
}

export class IdSource {
  readonly #origin: string;
  readonly #epoch: number;
  #next = 0;

  /** A TypeError for an origin or an epoch that no id can have. */
  constructor({ origin, epoch }: IdSourceOptions) {
    if (!isMessageId({ origin, epoch, sequence: 0 })) throw new TypeError('IdSource: needs an origin, and an epoch: an integer from 0 to 2^48 - 1');
    this.#origin = origin;
    this.#epoch = epoch;
  }

  /** Another id at each call. It ends, by a TypeError, after 2^48 of them: at a million a second in nine years. */
  next(): MessageId {
    if (this.#next > LARGEST_NUMBER) throw new TypeError('IdSource: has named 2^48 messages; begin another epoch');
    return { origin: this.#origin, epoch: this.#epoch, sequence: this.#next++ };
  }
}
