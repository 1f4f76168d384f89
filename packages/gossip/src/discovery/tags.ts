// Tags: keyed hashes that stand for topics. Only nodes that know a topic can recognize its tag,
// which differs in each exchange (after p2panda's confidential discovery).

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Random } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';

/** Size of a tag in bytes. */
export const TAG_BYTES = 16;
/** Size in bytes of the random value that each end contributes. */
export const NONCE_BYTES = 16;

/** The context of one exchange of tags: its sender, its receiver and a nonce. */
export interface Telling {
  /** `list`: all topics of a node; `ask`: the topics on which it looks for other nodes. */
  readonly use: 'list' | 'ask';
  /**
   * Node ids of the sender and the receiver. A tag is not recognized with any other sender or
   * receiver, so no node can pass on the tags of another node as its own.
   */
  readonly teller: string;
  readonly hearer: string;
  /**
   * Random bytes of both ends, or of the end that asks, so that no two exchanges have a tag in
   * common.
   */
  readonly nonce: Uint8Array;
}

/**
 * Makes the tags of one exchange: the first 16 bytes of HMAC-SHA-256 with the topic key as its key,
 * over the SHA-256 of the context. Computing a tag takes 10 µs.
 */
export class Tagger {
  readonly #telling: Uint8Array;

  constructor({ use, teller, hearer, nonce }: Telling) {
    this.#telling = sha256(
      concatBytes(
        utf8ToBytes(`trunkline.gossip ${use}\0`),
        hexToBytes(teller),
        hexToBytes(hearer),
        nonce,
      ),
    );
  }

  /** Returns the tag of a topic. */
  tag(key: Uint8Array): Uint8Array {
    return hmac(sha256, key, this.#telling).subarray(0, TAG_BYTES);
  }
}

/**
 * Returns the tags of the topics one after the other, sorted by their bytes so that the order
 * reveals nothing. Random tags are added up to the next power of two, and to at least `least`, so
 * the result reveals the number of topics only roughly. Without topics, there are no tags.
 */
export function makeTags(
  tagger: Tagger,
  keys: Iterable<Uint8Array>,
  random: Random,
  least: number,
): Uint8Array {
  const tags = Array.from(keys, (key) => tagger.tag(key));
  if (tags.length === 0) return new Uint8Array();
  const size = Math.max(least, 2 ** Math.ceil(Math.log2(tags.length)));
  while (tags.length < size) tags.push(randomBytes(random, TAG_BYTES));
  return concatBytes(...tags.sort(compare));
}

/** Returns true if the tag is among the tags, which must be sorted. */
export function hasTag(tags: Uint8Array, tag: Uint8Array): boolean {
  let low = 0;
  let high = Math.floor(tags.length / TAG_BYTES);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compare(tags.subarray(middle * TAG_BYTES, (middle + 1) * TAG_BYTES), tag);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < TAG_BYTES; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
