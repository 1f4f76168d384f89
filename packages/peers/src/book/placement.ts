// Chooses the bucket of an address by a hash with a secret key, so that no other node can fill the
// buckets of its choice.

import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Place } from '../address/place.ts';
import {
  NEW_BUCKETS,
  NEW_BUCKETS_PER_SOURCE_GROUP,
  TRIED_BUCKETS,
  TRIED_BUCKETS_PER_GROUP,
} from './limits.ts';

/**
 * Bitcoin's two-step placement, as in Tendermint: the first hash chooses one of a group's few
 * slots, and the second maps the slot to a bucket.
 */
export class Placement {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Returns hash(key, source group, hash(key, group, source group) mod 32) mod 256. */
  newRow(group: string, source: string): number {
    const slot = this.#hash('new slot', group, source) % NEW_BUCKETS_PER_SOURCE_GROUP;
    return this.#hash('new', source, String(slot)) % NEW_BUCKETS;
  }

  /** Returns hash(key, group, hash(key, address) mod 4) mod 64. */
  triedRow(place: Place): number {
    const slot = this.#hash('tried slot', place.key) % TRIED_BUCKETS_PER_GROUP;
    return this.#hash('tried', place.group, String(slot)) % TRIED_BUCKETS;
  }

  /**
   * Returns the first 32 bits of SHA-256. Addresses and groups contain no line feed, so two
   * different lists of parts never give the same hash input.
   */
  #hash(...parts: string[]): number {
    const digest = sha256(concatBytes(this.#key, utf8ToBytes(parts.join('\n'))));
    return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
  }
}
