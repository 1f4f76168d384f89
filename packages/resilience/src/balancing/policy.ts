// The interface of balancing policies, which choose one of the addresses that take calls.

import type { ClientCall, Random } from '@trunkline/transport-core';
import type { AddressState } from './address-state.ts';

/**
 * A rule that chooses an address for each call. `roundRobin()` and the like create one. Balancers
 * accept only those, which are PickingPolicies.
 */
export interface BalancingPolicy {
  readonly name: string;
}

/** A policy as the balancer sees it. */
export interface PickingPolicy extends BalancingPolicy {
  /**
   * True if calls go to one address as long as it takes them; in that case, a connection is held
   * only to that address.
   */
  readonly picksOne: boolean;
  /** Creates the state of the policy for one name. */
  create(random: Random): Picker;
}

/** The state of a policy for one name. */
export interface Picker {
  /**
   * Chooses one of `candidates`, which is never empty. The list is the same object only while its
   * addresses, their full weights and their `isStarting` are the same; `roundRobin` relies on it.
   */
  pick(candidates: readonly AddressState[], call: ClientCall, now: number): AddressState;
}
