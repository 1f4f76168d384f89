// Tracks what one process received of a stage: which messages, how many duplicates, and the delays.

import { commonNow } from './common-clock.ts';
import { Histogram, type HistogramData } from './histogram.ts';
import { readMessage } from './message.ts';

export interface Received {
  readonly received: number;
  /** Messages delivered more than once. */
  readonly twice: number;
  /** Messages of another stage. */
  readonly strange: number;
  readonly delays: HistogramData;
}

export class Receiver {
  readonly #first: number;
  readonly #seen: Uint8Array;
  readonly #delays = new Histogram();
  readonly #complete: Promise<void>;
  #isComplete!: () => void;
  #received = 0;
  #twice = 0;
  #strange = 0;

  /** @param first the number of the first of `count` expected messages. */
  constructor(first: number, count: number) {
    this.#first = first;
    this.#seen = new Uint8Array(count);
    this.#complete = new Promise((resolve) => {
      this.#isComplete = resolve;
    });
    if (count === 0) this.#isComplete();
  }

  take(message: Uint8Array): void {
    const { publishedAt, sequence } = readMessage(message);
    const at = sequence - this.#first;
    if (!(at >= 0 && at < this.#seen.length)) {
      this.#strange++;
      return;
    }
    if (this.#seen[at] === 1) {
      this.#twice++;
      return;
    }
    this.#seen[at] = 1;
    this.#delays.add((commonNow() - publishedAt) / 1_000);
    if (++this.#received === this.#seen.length) this.#isComplete();
  }

  /** Waits until all messages are here, or none has arrived for `patience` milliseconds. */
  async end(patience: number): Promise<Received> {
    let before = this.#received;
    let watch!: NodeJS.Timeout;
    const stalled = new Promise<void>((resolve) => {
      watch = setInterval(() => {
        if (this.#received === before) resolve();
        before = this.#received;
      }, patience);
    });
    await Promise.race([this.#complete, stalled]);
    clearInterval(watch);
    return {
      received: this.#received,
      twice: this.#twice,
      strange: this.#strange,
      delays: this.#delays.data,
    };
  }
}
