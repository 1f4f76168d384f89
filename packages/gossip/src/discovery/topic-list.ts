// The answer that lists a node's topics for another node that asked: the number of the list, and a
// tag for each topic. A topic can be recognized by its tag, but not read from it.

import { concatBytes } from '@noble/hashes/utils.js';
import type { Random } from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';
import { randomBytes } from '@trunkline/transport-core/backend';
import { MOST_TOPICS } from '../protocol.ts';
import { hasTag, makeTags, NONCE_BYTES, TAG_BYTES, Tagger } from './tags.ts';

/**
 * The node ids of the node that sends tags (`teller`) and of the node that receives them
 * (`hearer`).
 */
export interface Between {
  readonly teller: string;
  readonly hearer: string;
}

/** Creates the question for a list: random bytes, so that an old answer can't be replayed. */
export function askForList(random: Random): Uint8Array {
  return randomBytes(random, NONCE_BYTES);
}

/**
 * Encodes the answer: 4 bytes of the list's number (big-endian), 4 bytes of a checksum over
 * question and answer, 16 random bytes, and 16 bytes for each tag (see `makeTags`). Returns
 * undefined if the question is malformed.
 * @param keys topic keys of 32 bytes each, at most 1,024; encoding that many takes 10 ms
 */
export function encodeList(
  between: Between,
  question: Uint8Array,
  seq: number,
  keys: Iterable<Uint8Array>,
  random: Random,
): Uint8Array | undefined {
  if (question.length !== NONCE_BYTES) return undefined;
  const head = new Uint8Array(HEAD);
  new DataView(head.buffer).setUint32(0, seq);
  const salt = randomBytes(random, NONCE_BYTES);
  head.set(salt, SALT);
  const tagger = new Tagger({ use: 'list', ...between, nonce: concatBytes(question, salt) });
  return sealList(question, concatBytes(head, makeTags(tagger, keys, random, LEAST_TAGS)));
}

/** Writes the checksum into an answer and returns the answer. Tests forge answers with it. */
export function sealList(question: Uint8Array, answer: Bytes): Bytes {
  new DataView(answer.buffer, answer.byteOffset).setUint32(SEQ_BYTES, check(question, answer));
  return answer;
}

/**
 * Decodes an answer. Returns its number and the part to keep for a {@link TopicList}: at most 32
 * bytes and 16 KiB, or undefined for a node without topics, whose list has no tags. Tags beyond
 * 1,024 are dropped. Returns undefined if the answer is malformed, or if bit errors have changed it
 * or its question. A damaged list must not be kept, because no topic can be recognized in it, and
 * it would not be pulled again before its number changes.
 * @param question as `askForList` returned it
 */
export function decodeList(
  question: Uint8Array,
  answer: Uint8Array,
): { readonly seq: number; readonly kept: Uint8Array | undefined } | undefined {
  if (answer.length < HEAD || (answer.length - HEAD) % TAG_BYTES !== 0) return undefined;
  const view = new DataView(answer.buffer, answer.byteOffset);
  if (view.getUint32(SEQ_BYTES) !== check(question, answer)) return undefined;
  const seq = view.getUint32(0);
  const tags = answer.subarray(HEAD, HEAD + TAG_BYTES * MOST_TOPICS);
  return {
    seq,
    kept: tags.length === 0 ? undefined : concatBytes(question, answer.subarray(SALT, HEAD), tags),
  };
}

/**
 * FNV-1a with 32 bits over the question and the answer without its checksum. It protects against
 * bit errors, not against forgery.
 */
function check(question: Uint8Array, answer: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (const byte of question) hash = Math.imul(hash ^ byte, FNV_PRIME);
  for (let at = 0; at < SEQ_BYTES; at++) hash = Math.imul(hash ^ answer[at]!, FNV_PRIME);
  for (let at = SALT; at < answer.length; at++) hash = Math.imul(hash ^ answer[at]!, FNV_PRIME);
  return hash >>> 0;
}

/** A list that was pulled from a peer. It also recognizes topics that this node joins later. */
export class TopicList {
  readonly #tagger: Tagger;
  readonly #tags: Uint8Array;

  /** @param kept the part of the list that `decodeList` returned */
  constructor(between: Between, kept: Uint8Array) {
    this.#tagger = new Tagger({
      use: 'list',
      ...between,
      nonce: kept.subarray(0, 2 * NONCE_BYTES),
    });
    this.#tags = kept.subarray(2 * NONCE_BYTES);
  }

  /** Returns true if the topic with that key is on the list. */
  has(key: Uint8Array): boolean {
    return hasTag(this.#tags, this.#tagger.tag(key));
  }
}

const FNV_PRIME = 0x0100_0193;
/** Tags are padded to this number, so a node on 1 topic looks like a node on 8 topics. */
const LEAST_TAGS = 8;
const SEQ_BYTES = 4;
const SALT = SEQ_BYTES + 4;
const HEAD = SALT + NONCE_BYTES;
