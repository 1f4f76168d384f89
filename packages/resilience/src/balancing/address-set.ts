// The addresses of one name: their changes, and which of them take calls now.

import type { ClientCall, ResolvedAddress } from '@trunkline/transport-core';
import type { AddressSettings, AddressState, Outcome } from './address-state.ts';
import { AddressState as State } from './address-state.ts';
import { type OutlierSettings, Outliers } from './outliers.ts';
import type { Picker } from './policy.ts';
import type { Outlook } from './route.ts';

/** A change to an address, for events. */
export type AddressChange = 'added' | 'removed' | 'up' | 'down' | 'ejected' | 'returned';

/** The settings of an AddressSet. */
export interface AddressSetSettings {
  readonly address: Omit<AddressSettings, 'changed'>;
  readonly outliers: OutlierSettings | undefined;
  /** Maximum number of addresses; the first ones of a list are used. */
  readonly most: number;
  readonly picker: Picker;
  readonly changed: (address: AddressState, change: AddressChange) => void;
}

/** Chooses addresses, and takes the results of calls into account. */
export class AddressSet {
  readonly #settings: AddressSetSettings;
  readonly #addressSettings: AddressSettings;
  readonly #outliers: Outliers | undefined;
  #addresses: readonly AddressState[] = [];
  /** The addresses of the best priority that take calls; undefined if they must be found again. */
  #candidates: readonly AddressState[] | undefined = undefined;
  /** The time until which the candidates stay the same if no event changes them. */
  #validUntil = 0;

  constructor(settings: AddressSetSettings, now: number) {
    this.#settings = settings;
    this.#addressSettings = {
      ...settings.address,
      changed: (address, event) => {
        this.#candidates = undefined;
        if (event !== undefined) settings.changed(address, event);
      },
    };
    this.#outliers =
      settings.outliers &&
      new Outliers(settings.outliers, now, (address, isEjected) =>
        settings.changed(address, isEjected ? 'ejected' : 'returned'),
      );
  }

  get addresses(): readonly AddressState[] {
    return this.#addresses;
  }

  /**
   * Replaces the list. Addresses that are also in the new list keep their state. If an address is
   * listed twice, its last entry counts.
   */
  update(list: readonly ResolvedAddress[], now: number): void {
    const isFirst = this.#addresses.length === 0;
    const before = new Map(this.#addresses.map((address) => [address.address, address]));
    const after = new Map<string, AddressState>();
    for (const given of list) {
      if (after.size >= this.#settings.most && !after.has(given.address)) continue;
      const known = after.get(given.address) ?? before.get(given.address);
      if (known !== undefined) known.update(given);
      after.set(given.address, known ?? new State(given, this.#addressSettings));
    }
    this.#addresses = [...after.values()];
    this.#candidates = undefined;
    this.#outliers?.update(this.#addresses);
    for (const [name, address] of before) {
      if (after.has(name)) continue;
      address.remove();
      this.#settings.changed(address, 'removed');
    }
    for (const [name, address] of after) {
      if (before.has(name)) continue;
      // If all addresses are new, none of them should take less than its share.
      if (!isFirst) address.joins(now);
      this.#settings.changed(address, 'added');
    }
  }

  /**
   * Chooses an address for a call; undefined if there is none.
   *
   * @param tried addresses to which the call was sent before; others of the best priority that
   * takes calls are preferred.
   */
  pick(call: ClientCall, now: number, tried: readonly AddressState[]): AddressState | undefined {
    if (this.#addresses.length === 0) return undefined;
    this.#outliers?.examine(now);
    if (this.#candidates === undefined || now >= this.#validUntil) this.#find(now);
    const candidates = this.#candidates!;
    if (tried.length > 0) {
      const others = candidates.filter((address) => !tried.includes(address));
      if (others.length > 0) return this.#settings.picker.pick(others, call, now);
    }
    return this.#settings.picker.pick(candidates, call, now);
  }

  /** Returns where a call that reached none of the `tried` addresses may go. */
  outlook(tried: readonly AddressState[], now: number): Outlook {
    if (this.#addresses.some((each) => each.takesCalls(now) && !tried.includes(each)))
      return 'other';
    const refusal = this.#addresses[0]?.refusal;
    const isSame = this.#addresses.every((each) => each.refusal === refusal);
    return refusal !== undefined && isSame ? 'nowhere' : 'again';
  }

  /**
   * Records the end of a call that took `elapsed` milliseconds, also of an address since removed.
   */
  ended(address: AddressState, outcome: Outcome, elapsed: number, now: number): void {
    if (outcome !== 'ignored') this.#outliers?.record(address, outcome !== 'success');
    address.ended(outcome, elapsed, now);
  }

  /**
   * Finds the addresses that take calls, at the best priority that has any. If no address takes
   * calls, all addresses of the best priority are used, because a call that may fail is better than
   * one that certainly fails (Envoy's panic mode).
   */
  #find(now: number): void {
    let best = Number.POSITIVE_INFINITY;
    let found: AddressState[] = [];
    let validUntil = Number.POSITIVE_INFINITY;
    for (const address of this.#addresses) {
      validUntil = Math.min(validUntil, address.nextChange(now));
      if (address.priority > best || !address.takesCalls(now)) continue;
      if (address.priority < best) found = [];
      best = address.priority;
      found.push(address);
    }
    if (found.length === 0) {
      const lowest = Math.min(...this.#addresses.map(({ priority }) => priority));
      found = this.#addresses.filter(({ priority }) => priority === lowest);
    }
    this.#candidates = found;
    this.#validUntil = validUntil;
  }
}
