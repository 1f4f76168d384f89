// Limits how many answers a peer gets. A peer that exceeds the limit gets no answer; one that keeps
// asking is reported.

import { Allowance } from '../hyparview/allowance.ts';

/** The ration of one peer. */
export class Ration {
  readonly #allowance: Allowance;
  #refused = 0;

  constructor(now: number) {
    this.#allowance = new Allowance(BURST, INTERVAL, now);
  }

  /**
   * Takes an answer from the ration. `no`: give no answer; `abuse`: give no answer and report the
   * peer.
   */
  take(now: number): 'yes' | 'no' | 'abuse' {
    if (this.#allowance.take(now)) return 'yes';
    this.#refused++;
    return this.#refused % ABUSE === 0 ? 'abuse' : 'no';
  }
}

/** Answers available at once. */
const BURST = 10;
/** Milliseconds until one more answer is available. */
const INTERVAL = 1_000;
/**
 * Number of refusals that count as one abuse. An honest node that was refused asks again only once,
 * some seconds later.
 */
const ABUSE = 100;
