// How far a publisher may be ahead of its slowest subscriber: a bound of its own, so that all ways of spreading are paced alike, and none
// drops what it can't keep up with. Subscribers tell of every 256th message that all of them have over a socket beside what is measured.

/** Messages: below the 1,000 that gossip keeps for a slow peer, and steps that are a write of many. */
export const AHEAD = 768;
export const STEP = 256;
export const SUBSCRIBERS = 16;
/** Bytes of a message. */
export const SIZE = 256;

export function messageOf(sequence: number): Uint8Array {
  const message = new Uint8Array(SIZE);
  const view = new DataView(message.buffer);
  view.setUint32(0, sequence);
  view.setUint32(SIZE - 4, ~sequence);
  return message;
}

/** What came to each subscriber, which must be every message in its order. */
export class Deliveries {
  readonly #next = new Uint32Array(SUBSCRIBERS);
  readonly #step: () => void;
  /** Subscribers that have all up to the end of each step. */
  readonly #reached = new Map<number, number>();

  /** @param step is called whenever all have so many messages more. */
  constructor(step: () => void) {
    this.#step = step;
  }

  /** @throws Error for a message that is not the next one, or not whole. */
  take(subscriber: number, message: Uint8Array): void {
    const sequence = this.#next[subscriber]!;
    if (message.length !== SIZE || readInt(message, 0) !== (sequence | 0) || readInt(message, SIZE - 4) !== ~sequence) {
      throw new Error(`subscriber ${subscriber} got message ${readInt(message, 0)} of ${message.length} bytes, in place of ${sequence}`);
    }
    this.#next[subscriber] = sequence + 1;
    if ((sequence + 1) % STEP === 0) this.#reach(sequence);
  }

  #reach(sequence: number): void {
    const have = (this.#reached.get(sequence) ?? 0) + 1;
    this.#reached.set(sequence, have);
    if (have < SUBSCRIBERS) return;
    this.#reached.delete(sequence);
    this.#step();
  }
}

/** Without a view of its own: a delivery of the raw limit takes little more than one. */
function readInt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
