// The policy that compares two random addresses by load and latency.

import type { ClientCall, Random } from '@trunkline/transport-core';
import type { AddressState } from './address-state.ts';
import type { BalancingPolicy, Picker, PickingPolicy } from './policy.ts';

/**
 * Takes two random addresses and sends the call to the one with the lower cost: its average latency
 * times its calls in flight with this one, divided by its weight. This combines the power of two
 * choices (Mitzenmacher 2001) with the peak EWMA of Finagle and Linkerd: slow servers soon get
 * fewer calls, and a choice takes the same time for any number of addresses. An address of weight 0
 * gets a call only if the other one has weight 0, too.
 */
export function leastLoaded(): BalancingPolicy {
  const policy: PickingPolicy = {
    name: 'least-loaded',
    picksOne: false,
    create: (random) => new TwoChoicesPicker(random),
  };
  return policy;
}

class TwoChoicesPicker implements Picker {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  pick(candidates: readonly AddressState[], _call: ClientCall, now: number): AddressState {
    const count = candidates.length;
    if (count === 1) return candidates[0]!;
    const i = Math.floor(this.#random() * count);
    let j = Math.floor(this.#random() * (count - 1));
    if (j >= i) j++;
    const a = candidates[i]!;
    const b = candidates[j]!;
    return costOf(a, now) <= costOf(b, now) ? a : b;
  }
}

function costOf(address: AddressState, now: number): number {
  // An idle address of weight 0 costs 1e12, which is more than any address with a usual weight.
  return (address.costAt(now) + 1e-3) / Math.max(address.weightAt(now), 1e-15);
}
