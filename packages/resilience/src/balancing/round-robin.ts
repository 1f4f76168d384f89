// The policy that uses all addresses one after another, by weight.

import type { ClientCall } from '@trunkline/transport-core';
import type { AddressState } from './address-state.ts';
import type { BalancingPolicy, Picker, PickingPolicy } from './policy.ts';

/**
 * Sends calls to all addresses, one after another. Addresses with more weight get more turns, which
 * are spread evenly, as in the smooth weighted round-robin of nginx. With different weights, a
 * choice takes time in proportion to the number of addresses.
 */
export function roundRobin(): BalancingPolicy {
  const policy: PickingPolicy = {
    name: 'round-robin',
    picksOne: false,
    create: (random) => new TurnPicker(random()),
  };
  return policy;
}

class TurnPicker implements Picker {
  /** The last list of candidates, and whether their weights are equal. */
  #last: readonly AddressState[] = [];
  #isUniform = true;
  #next: number;
  /** The credit of each address; the one with the most gets the next call. */
  readonly #credits = new WeakMap<AddressState, number>();

  /** @param start a random number, so that clients do not begin at the same address. */
  constructor(start: number) {
    this.#next = Math.floor(start * 0x1_0000);
  }

  pick(candidates: readonly AddressState[], _call: ClientCall, now: number): AddressState {
    if (candidates !== this.#last) this.#look(candidates);
    if (this.#isUniform) {
      this.#next = (this.#next + 1) % candidates.length;
      return candidates[this.#next]!;
    }
    let total = 0;
    let best = candidates[0]!;
    let most = Number.NEGATIVE_INFINITY;
    for (const address of candidates) {
      const weight = address.weightAt(now);
      total += weight;
      const credit = (this.#credits.get(address) ?? 0) + weight;
      this.#credits.set(address, credit);
      if (weight === 0 || credit <= most) continue;
      most = credit;
      best = address;
    }
    this.#credits.set(best, this.#credits.get(best)! - total);
    return best;
  }

  #look(candidates: readonly AddressState[]): void {
    this.#last = candidates;
    const weight = candidates[0]!.fullWeight;
    this.#isUniform = candidates.every(
      (address) => address.fullWeight === weight && !address.isStarting,
    );
  }
}
