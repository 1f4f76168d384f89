// Names what one node publishes, life after life.

import { isMessageId, LARGEST_NUMBER, type MessageId } from './message-id.ts';

export interface IdSourceOptions {
  /** The node id of the publisher. */
  readonly origin: string;
  /** The present life, greater than any before: others refuse what has a smaller one than they have heard. */
  readonly epoch: () => number;
}

export class IdSource {
  readonly #origin: string;
  readonly #epochNow: () => number;
  /** That of the last id; NaN before the first. */
  #epoch = Number.NaN;
  #next = 0;

  constructor({ origin, epoch }: IdSourceOptions) {
    this.#origin = origin;
    this.#epochNow = epoch;
  }

  /**
   * Another id at each call, counted from 0 in each life. A TypeError for an origin or an epoch that no id can have, and after 2^48 of them: at a
   * million a second in nine years.
   */
  next(): MessageId {
    const epoch = this.#epochNow();
    if (epoch !== this.#epoch) this.#begin(epoch);
    if (this.#next > LARGEST_NUMBER) throw new TypeError('IdSource: has named 2^48 messages; begin another epoch');
    return { origin: this.#origin, epoch, sequence: this.#next++ };
  }

  #begin(epoch: number): void {
    const origin = this.#origin;
    if (!isMessageId({ origin, epoch, sequence: 0 })) throw new TypeError('IdSource: needs an origin, and an epoch: an integer from 0 to 2^48 - 1');
    this.#epoch = epoch;
    this.#next = 0;
  }
}
