// Topics told so that only who knows a topic recognises it: keyed hashes, others in each exchange (after p2panda's confidential discovery).

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { type Random, randomBytes } from '@trunkline/transport-core';

/** Bytes of a tag. */
export const TAG_BYTES = 16;
/** Bytes of what each end adds by chance. */
export const NONCE_BYTES = 16;

/** One telling of topics: whose, to whom, and what is new in it. */
export interface Telling {
  /** `list`: all topics of a node; `ask`: those that it looks for others on. */
  readonly use: 'list' | 'ask';
  /** Node ids. A tag that another told, or that was told to another, is not recognised: so it can't be passed on as one's own. */
  readonly teller: string;
  readonly hearer: string;
  /** Random bytes of whoever is in it: two tellings have no tag in common. */
  readonly nonce: Uint8Array;
}

/** Makes the tags of one telling: the first 16 bytes of HMAC-SHA-256, the topic's key its key, over the SHA-256 of the telling. 10 µs each. */
export class Tagger {
  readonly #telling: Uint8Array;

  constructor({ use, teller, hearer, nonce }: Telling) {
    this.#telling = sha256(concatBytes(utf8ToBytes(`trunkline.gossip ${use}\0`), hexToBytes(teller), hexToBytes(hearer), nonce));
  }

  /** What stands for a topic, by its key. */
  tag(key: Uint8Array): Uint8Array {
    return hmac(sha256, key, this.#telling).subarray(0, TAG_BYTES);
  }
}

/**
 * The tags of topics one after the other, in the order of their bytes, which tells nothing. Random ones fill up to the next power of two, and to
 * `least`: how many topics there are is told roughly. Of no topics: none.
 */
export function makeTags(tagger: Tagger, keys: Iterable<Uint8Array>, random: Random, least: number): Uint8Array {
  const tags = Array.from(keys, (key) => tagger.tag(key));
  if (tags.length === 0) return new Uint8Array();
  const size = Math.max(least, 2 ** Math.ceil(Math.log2(tags.length)));
  while (tags.length < size) tags.push(randomBytes(random, TAG_BYTES));
  return concatBytes(...tags.sort(compare));
}

/** Is the tag among those? Where they are not in order it may not be found. */
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
