// Limits how many answers a peer gets. A peer that exceeds the limit gets no answer; a peer that
// keeps asking is reported.

import { Allowance } from '../hyparview/allowance.ts';

/** The answers that one peer may still get. */
export class Ration {
  readonly #allowance: Allowance;
  #refused = 0;

  constructor(now: number) {
    this.#allowance = new Allowance(BURST, INTERVAL, now);
  }

  /**
   * Takes an answer from the ration. Returns `no` if the peer must get no answer, and `abuse` if it
   * must also be reported.
   */
  take(now: number): 'yes' | 'no' | 'abuse' {
    if (this.#allowance.take(now)) return 'yes';
    this.#refused++;
    return this.#refused % ABUSE === 0 ? 'abuse' : 'no';
  }
}

/** Number of answers available at once. */
const BURST = 10;
/** Milliseconds until one more answer is available. */
const INTERVAL = 1_000;
/**
 * Number of refusals after which a peer is reported. An honest node that was refused asks again
 * only once, some seconds later.
 */
const ABUSE = 100;
