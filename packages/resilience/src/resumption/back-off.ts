// The pauses between the attempts of one stream.

import type { Random } from '@trunkline/transport-core';

/** Counts consecutive failures, and returns the pause after each. */
export class BackOff {
  readonly #attempts: number;
  readonly #first: number;
  readonly #max: number;
  readonly #random: Random;
  #failures = 0;

  constructor(
    {
      attempts,
      initialBackoff,
      maxBackoff,
    }: {
      readonly attempts: number;
      readonly initialBackoff: number;
      readonly maxBackoff: number;
    },
    random: Random,
  ) {
    this.#attempts = attempts;
    this.#first = initialBackoff;
    this.#max = maxBackoff;
    this.#random = random;
  }

  /** Forgets the failures. ResumedStream calls it for each item, and after a long connection. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Returns the number of milliseconds until the next attempt: the pause, shortened by up to a half
   * at random. Returns undefined after `attempts` consecutive failures.
   */
  next(): number | undefined {
    this.#failures++;
    if (this.#failures >= this.#attempts) return undefined;
    const doubled = this.#first * 2 ** Math.min(this.#failures - 1, 30);
    return Math.min(doubled, this.#max) * (1 - this.#random() / 2);
  }
}
