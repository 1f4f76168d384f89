// Limits how far a publisher may be ahead of its slowest subscriber. All ways of spreading are
// paced alike, so that none drops messages that it can't keep up with. Over a separate socket, the
// subscribers report every 256th message once all of them have it.

/**
 * In messages. `AHEAD` is below the 1,000 that gossip queues for a slow peer; `STEP` is large
 * enough that a write carries many messages.
 */
export const AHEAD = 768;
export const STEP = 256;
export const SUBSCRIBERS = 16;
/** The size of a message in bytes. */
export const SIZE = 256;

/** A publisher or a subscriber. */
export interface Spreader {
  readonly address: string;
  /** Returns the number of processes that it exchanges messages with now. */
  links(): number;
  /** May return a promise, which rejects if publishing fails. */
  publish(message: Uint8Array): unknown;
  close(): Promise<void>;
}

/** Opens a publisher if it dials nobody, otherwise a subscriber. */
export type Open = (
  setting: { readonly nodes: number; readonly dials: readonly string[] },
  received: (message: Uint8Array) => void,
) => Promise<Spreader>;

export function messageOf(sequence: number): Uint8Array {
  const message = new Uint8Array(SIZE);
  const view = new DataView(message.buffer);
  view.setUint32(0, sequence);
  view.setUint32(SIZE - 4, ~sequence);
  return message;
}

/** Checks the messages that each subscriber receives: every message, in order. */
export class Deliveries {
  readonly #next = new Uint32Array(SUBSCRIBERS);
  readonly #step: () => void;
  /** The number of subscribers that have all messages up to the end of each step. */
  readonly #reached = new Map<number, number>();

  /** @param step is called whenever all subscribers have `STEP` more messages. */
  constructor(step: () => void) {
    this.#step = step;
  }

  /** @throws Error if the message is not the next one, or not intact. */
  take(subscriber: number, message: Uint8Array): void {
    const sequence = this.#next[subscriber]!;
    if (
      message.length !== SIZE ||
      readInt(message, 0) !== (sequence | 0) ||
      readInt(message, SIZE - 4) !== ~sequence
    ) {
      throw new Error(
        `subscriber ${subscriber} got message ${readInt(message, 0)} of ${message.length} bytes, in place of ${sequence}`,
      );
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

/**
 * Reads an integer without a DataView, whose creation would cost about as much as a delivery of the
 * raw limit.
 */
function readInt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
