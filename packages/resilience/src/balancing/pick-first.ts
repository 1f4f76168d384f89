// The policy that stays with one address as long as the address takes calls.

import type { ClientCall } from '@trunkline/transport-core';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import type { AddressState } from './address-state.ts';
import type { BalancingPolicy, Picker, PickingPolicy } from './policy.ts';

/**
 * Sends all calls to the first address of the list that takes calls, until that address takes none
 * or one of a better priority does, as gRPC's `pick_first` does.
 *
 * @param options.shuffle if true, each balancer begins at a random address of each name, so that
 * clients spread over the servers (gRFC A62). Default false.
 * @throws TypeError for an unknown option.
 */
export function pickFirst(
  options: { readonly shuffle?: boolean | undefined } = {},
): BalancingPolicy {
  refuseUnknown(options, 'pickFirst', ['shuffle']);
  const { shuffle = false } = options;
  const policy: PickingPolicy = {
    name: 'pick-first',
    picksOne: true,
    create: (random) => new FirstPicker(shuffle ? random() : 0),
  };
  return policy;
}

class FirstPicker implements Picker {
  /** The position in the list, from 0 to below 1, of the address that is taken next. */
  readonly #start: number;
  #current: AddressState | undefined = undefined;

  constructor(start: number) {
    this.#start = start;
  }

  pick(candidates: readonly AddressState[], _call: ClientCall, now: number): AddressState {
    const current = this.#current;
    if (current !== undefined && candidates.includes(current)) return current;
    const other = candidates[Math.floor(this.#start * candidates.length)]!;
    // Another attempt of one call, which avoids the current address, changes nothing for the rest.
    if (!current?.takesCalls(now) || current.priority > other.priority) this.#current = other;
    return other;
  }
}
