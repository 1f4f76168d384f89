// The list of addresses behind a name: its checks, and the order in which the addresses are dialed.

import type { Random } from '../random.ts';
import type { ResolvedAddress } from '../resolver.ts';

/** An address with its defaults filled in. */
export interface ListedAddress {
  readonly address: string;
  readonly weight: number;
  readonly priority: number;
}

/**
 * Returns the addresses that a resolver reported, each only once, with defaults filled in. If there
 * are more than 1,024 addresses, those with the lowest priority numbers are kept.
 *
 * @throws TypeError that names the invalid entry.
 */
export function readAddresses(given: unknown): readonly ListedAddress[] {
  if (!Array.isArray(given)) throw new TypeError(`expected a list of addresses, got ${given}`);
  const list = new Map<string, ListedAddress>();
  for (const [at, entry] of given.entries()) {
    const { address, weight = 1, priority = 0 } = (entry ?? {}) as Partial<ResolvedAddress>;
    if (typeof address !== 'string' || address.trim() === '')
      throw new TypeError(`[${at}].address: must be an address, got ${JSON.stringify(address)}`);
    if (!(Number.isFinite(weight) && weight >= 0))
      throw new TypeError(`[${at}].weight: must be a number of at least 0, got ${weight}`);
    if (!Number.isFinite(priority))
      throw new TypeError(`[${at}].priority: must be a number, got ${priority}`);
    if (!list.has(address)) list.set(address, { address, weight, priority });
  }
  const all = [...list.values()];
  if (all.length <= ADDRESSES) return all;
  return all.sort((a, b) => a.priority - b.priority).slice(0, ADDRESSES);
}

/**
 * Returns the addresses in the order in which they are tried: by priority, and at random by weight
 * among equals (RFC 2782). An address with weight 0 comes after the others of the same priority.
 *
 * @param first the address that comes first, if it is listed: the one in use.
 */
export function orderAddresses(
  addresses: readonly ListedAddress[],
  random: Random,
  first?: string,
): readonly string[] {
  if (addresses.length === 1) return [addresses[0]!.address];
  // Sorting by these keys draws one address after another without replacement, each with a
  // probability in proportion to its weight (Efraimidis and Spirakis 2006).
  const drawn = addresses.map(({ address, weight, priority }) => {
    const lot = -Math.log(1 - random());
    return { address, priority, isSpare: weight === 0, lot: weight === 0 ? lot : lot / weight };
  });
  drawn.sort(
    (a, b) =>
      Number(b.address === first) - Number(a.address === first) ||
      a.priority - b.priority ||
      Number(a.isSpare) - Number(b.isSpare) ||
      a.lot - b.lot,
  );
  return drawn.map(({ address }) => address);
}

/** The maximum number of addresses behind one name. */
const ADDRESSES = 1_024;
