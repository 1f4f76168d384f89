// What a transport holds for all its connections. When that is as much as it may, unfinished messages make room: those of the connection
// that has most of them.

/** Bytes that a transport holds for all its connections: incomplete, untaken, being handled, unsent. */
export interface MemoryGauge {
  used: number;
  /** Bytes by which windows have grown: peers may send as much beyond the starts. */
  lent: number;
  readonly limit: number;
}

/** A connection that has unfinished messages. */
export interface Sender {
  /** Bytes that have come of messages that are not whole. */
  readonly unfinished: number;
  /** The part of them that its largest message has. */
  readonly largest: number;
  /** Bytes of long messages that come in a second, as of late. */
  rate(now: number): number;
  /** Refuses an unfinished message, which then holds nothing any more: the largest, or (with `spares`) the next after it. */
  refuse(now: number, spares: boolean): void;
}

export class Memory implements MemoryGauge {
  used = 0;
  lent = 0;
  readonly limit: number;
  /** Incoming requests that wait or are being handled, and one-ways that are being handled. */
  calls = 0;
  /** Bytes of all incoming short messages that wait or are being handled, with what each costs besides. */
  bytes = 0;
  /** The part of `used` that unfinished messages hold. */
  unfinished = 0;
  /** Bytes that were allocated for unfinished messages before they came. */
  ahead = 0;
  readonly #senders = new Set<Sender>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** More may be allocated before it comes only as far as this goes: what a peer announces is not yet there. */
  get maxAhead(): number {
    return this.limit / AHEAD;
  }

  begins(sender: Sender): void {
    this.#senders.add(sender);
  }

  ends(sender: Sender): void {
    this.#senders.delete(sender);
  }

  /**
   * Refuses unfinished messages until `limit` is kept or none is left: always the largest of the connection that has most of them. One
   * message is spared as long as there are others, so that it can finish: the largest of the connection that sends fastest.
   */
  makeRoom(now: number): void {
    while (this.used > this.limit && this.#senders.size > 0) {
      let fastest: Sender | undefined;
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

/** The part of `limits.memory` that may be allocated ahead of what comes. */
const AHEAD = 8;
