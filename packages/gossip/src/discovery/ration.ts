// So many answers a peer: who asks for more gets none, and who goes on regardless is told of.

import { Allowance } from '../hyparview/allowance.ts';

/** One peer's. */
export class Ration {
  readonly #allowance: Allowance;
  #refused = 0;

  constructor(now: number) {
    this.#allowance = new Allowance(BURST, INTERVAL, now);
  }

  /** `no`: no answer; `abuse`: neither, and it should be held against it. */
  take(now: number): 'yes' | 'no' | 'abuse' {
    if (this.#allowance.take(now)) return 'yes';
    this.#refused++;
    return this.#refused % ABUSE === 0 ? 'abuse' : 'no';
  }
}

/** Answers at once. */
const BURST = 10;
/** Milliseconds to one more. */
const INTERVAL = 1_000;
/** Refusals: an honest node asks once where it asked in vain, some seconds later. */
const ABUSE = 100;
