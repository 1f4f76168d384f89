// The policy that sends calls with the same key to the same address. A change to a hash or a score
// moves keys, so clients of two releases would disagree.

import type { ClientCall, Random } from '@trunkline/transport-core';
import { logarithm } from '../portable-math.ts';
import type { AddressState } from './address-state.ts';
import type { BalancingPolicy, Picker, PickingPolicy } from './policy.ts';

/**
 * Sends calls with the same key to the same address, at every client, in each run and on every
 * engine. If an address is removed or down, only its keys move. This is rendezvous hashing (Thaler
 * and Ravishankar 1998), with weights as in Schindelhauer and Schomaker 2005. A choice takes time
 * in proportion to the number of addresses.
 *
 * @param key returns the key of a call, such as a field of its request or metadata. A call without
 * a key goes to a random address. An error that it throws fails the call.
 * @throws TypeError if `key` is not a function.
 */
export function rendezvous(key: (call: ClientCall) => string | undefined): BalancingPolicy {
  if (typeof key !== 'function')
    throw new TypeError(`rendezvous: key must be a function of the call, got ${typeof key}`);
  const policy: PickingPolicy = {
    name: 'rendezvous',
    picksOne: false,
    create: (random) => new HashPicker(key, random),
  };
  return policy;
}

class HashPicker implements Picker {
  readonly #key: (call: ClientCall) => string | undefined;
  readonly #random: Random;
  readonly #hashes = new WeakMap<AddressState, number>();

  constructor(key: (call: ClientCall) => string | undefined, random: Random) {
    this.#key = key;
    this.#random = random;
  }

  pick(candidates: readonly AddressState[], call: ClientCall): AddressState {
    const key = this.#key(call);
    const hash = key === undefined ? Math.floor(this.#random() * 0x1_0000_0000) : hashOf(key);
    let best = candidates[0]!;
    let most = Number.NEGATIVE_INFINITY;
    for (const address of candidates) {
      const score = scoreOf(mix(hash ^ this.#hash(address)), address.fullWeight);
      if (score <= most) continue;
      most = score;
      best = address;
    }
    return best;
  }

  #hash(address: AddressState): number {
    let hash = this.#hashes.get(address);
    if (hash === undefined) {
      // The hash is mixed again, so that no key cancels out an address.
      hash = mix(hashOf(address.address) + 0x9e37_79b9);
      this.#hashes.set(address, hash);
    }
    return hash;
  }
}

/** Returns the weighted score: -w / ln(u), with u in (0, 1). */
function scoreOf(hash: number, weight: number): number {
  return -weight / logarithm(((hash >>> 0) + 0.5) / 0x1_0000_0000);
}

/** Returns the mixed FNV-1a hash of the UTF-16 units of a string. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x0100_0193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x0100_0193);
  }
  return mix(hash);
}

/** The finalizer of MurmurHash3: each bit of the input changes half of the output. */
function mix(hash: number): number {
  const a = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2_ae35);
  return b ^ (b >>> 16);
}
