// Assigns ids to the messages that a node publishes. A life is the time from a node's start to its
// end; its number is the epoch of an id.

import { isMessageId, LARGEST_NUMBER, type MessageId } from './message-id.ts';

export interface IdSourceOptions {
  /** The node id of the publisher. */
  readonly origin: string;
  /**
   * Returns the number of the present life. It is higher than the numbers of all earlier lives,
   * because other nodes refuse a number that is lower than one they know.
   */
  readonly epoch: () => number;
}

export class IdSource {
  readonly #origin: string;
  readonly #epochNow: () => number;
  /** The epoch of the last id; NaN before the first. */
  #epoch = Number.NaN;
  #next = 0;

  constructor({ origin, epoch }: IdSourceOptions) {
    this.#origin = origin;
    this.#epochNow = epoch;
  }

  /**
   * Returns a new id, with sequences counted from 0 in each life. Throws a TypeError for an origin
   * or an epoch that no id can have, and after 2^48 ids of one life: at a million ids a second,
   * that takes nine years.
   */
  next(): MessageId {
    const epoch = this.#epochNow();
    if (epoch !== this.#epoch) this.#begin(epoch);
    if (this.#next > LARGEST_NUMBER)
      throw new TypeError('IdSource: has made 2^48 ids; begin another epoch');
    return { origin: this.#origin, epoch, sequence: this.#next++ };
  }

  #begin(epoch: number): void {
    const origin = this.#origin;
    if (!isMessageId({ origin, epoch, sequence: 0 }))
      throw new TypeError('IdSource: needs an origin, and an epoch: an integer from 0 to 2^48 - 1');
    this.#epoch = epoch;
    this.#next = 0;
  }
}
