// The memory that a transport holds for all its connections. When the limit is exceeded, incomplete
// messages are refused, first those of the connection that has most of them.

/**
 * Bytes that a transport holds for all its connections: incomplete, unread, being handled or unsent
 * messages.
 */
export interface MemoryGauge {
  used: number;
  /**
   * Bytes by which windows have grown, so that peers may send as much beyond the initial windows.
   */
  lent: number;
  readonly limit: number;
}

/** A connection that has incomplete messages. */
export interface MemoryHolder {
  /** Bytes that have arrived of incomplete messages. */
  readonly unfinished: number;
  /** The part of `unfinished` that belongs to the largest message. */
  readonly largest: number;
  /** Returns the recent rate of incoming long messages in bytes a second. */
  rate(now: number): number;
  /**
   * Refuses an incomplete message, which then holds no memory: the largest or, with `spares`, the
   * second largest.
   */
  refuse(now: number, spares: boolean): void;
}

export class Memory implements MemoryGauge {
  used = 0;
  lent = 0;
  readonly limit: number;
  /** Incoming requests that wait or are being handled, and one-ways that are being handled. */
  calls = 0;
  /**
   * Bytes of all incoming short messages that wait or are being handled, including the fixed cost
   * of each.
   */
  bytes = 0;
  /** The part of `used` that incomplete messages hold. */
  unfinished = 0;
  /** Bytes that were allocated for incomplete messages and have not arrived yet. */
  ahead = 0;
  readonly #senders = new Set<MemoryHolder>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** The maximum of `ahead`: announcing a message must not cost its whole size at once. */
  get maxAhead(): number {
    return this.limit / AHEAD;
  }

  begins(sender: MemoryHolder): void {
    this.#senders.add(sender);
  }

  ends(sender: MemoryHolder): void {
    this.#senders.delete(sender);
  }

  /**
   * Refuses incomplete messages until the limit is kept or none is left; always the largest message
   * of the connection that has most of them. One message is spared as long as there are others, so
   * that it can finish: the largest of the connection that sends fastest.
   */
  makeRoom(now: number): void {
    while (this.used > this.limit && this.#senders.size > 0) {
      let fastest: MemoryHolder | undefined;
      let best = -1;
      for (const sender of this.#senders) {
        const rate = sender.rate(now);
        if (rate <= best) continue;
        fastest = sender;
        best = rate;
      }
      let most = fastest!;
      let share = fastest!.unfinished - fastest!.largest;
      for (const sender of this.#senders) {
        if (sender === fastest || sender.unfinished <= share) continue;
        most = sender;
        share = sender.unfinished;
      }
      most.refuse(now, most === fastest && share > 0);
    }
  }
}

/** The divisor of `limits.memory` that gives the part that may be allocated before it arrives. */
const AHEAD = 8;
