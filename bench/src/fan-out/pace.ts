// How far a publisher may be ahead of its slowest subscriber: a bound of its own, so that all ways of spreading are paced alike, and none
// drops what it can't keep up with. Subscribers tell of every 64th message that all of them have over a socket beside what is measured.

/** Messages. */
export const AHEAD = 512;
export const STEP = 64;
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
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    if (message.length !== SIZE || view.getUint32(0) !== sequence || view.getInt32(SIZE - 4) !== ~sequence) {
      throw new Error(`subscriber ${subscriber} got message ${view.getUint32(0)} of ${message.length} bytes, in place of ${sequence}`);
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
