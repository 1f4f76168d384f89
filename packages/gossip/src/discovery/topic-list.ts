// The list of a node's topics as it is pulled: its number, and a tag for each topic.

import { concatBytes } from '@noble/hashes/utils.js';
import { type Random, randomBytes } from '@trunkline/transport-core';
import { MOST_TOPICS } from '../protocol.ts';
import { hasTag, makeTags, NONCE_BYTES, TAG_BYTES, Tagger } from './tags.ts';

/** Who tells whom, as node ids. */
export interface Between {
  readonly teller: string;
  readonly hearer: string;
}

/** What a list is asked for with: random bytes, so that an old answer is no answer. */
export function askForList(random: Random): Uint8Array {
  return randomBytes(random, NONCE_BYTES);
}

/**
 * The answer: 4 bytes of the list's number, big-endian, 4 of a check of question and answer, 16 random bytes, and 16 bytes a tag. Undefined for a
 * question that is none. The keys are 32 bytes each; 1,024 of them are 10 ms of work.
 */
export function encodeList(between: Between, question: Uint8Array, seq: number, keys: Iterable<Uint8Array>, random: Random): Uint8Array | undefined {
  if (question.length !== NONCE_BYTES) return undefined;
  const head = new Uint8Array(HEAD);
  new DataView(head.buffer).setUint32(0, seq);
  const salt = randomBytes(random, NONCE_BYTES);
  head.set(salt, SALT);
  const tagger = new Tagger({ use: 'list', ...between, nonce: concatBytes(question, salt) });
  return sealList(question, concatBytes(head, makeTags(tagger, keys, random, LEAST_TAGS)));
}

/** Writes the check of an answer into it, and gives it back. */
export function sealList(question: Uint8Array, answer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  new DataView(answer.buffer, answer.byteOffset).setUint32(SEQ_BYTES, check(question, answer));
  return answer;
}

/**
 * Reads an answer: its number, and the list as it is kept (undefined: of no topics), by which topics are recognised also later: at most 16 KiB and
 * 32 bytes. What is above 1,024 tags is left out. Undefined for what is no answer, and for one that wrong bits have changed, or its question: its number
 * would be believed until the next change, and nobody recognised.
 */
export function decodeList(question: Uint8Array, answer: Uint8Array): { readonly seq: number; readonly kept: Uint8Array | undefined } | undefined {
  if (answer.length < HEAD || (answer.length - HEAD) % TAG_BYTES !== 0) return undefined;
  const view = new DataView(answer.buffer, answer.byteOffset);
  if (view.getUint32(SEQ_BYTES) !== check(question, answer)) return undefined;
  const seq = view.getUint32(0);
  const tags = answer.subarray(HEAD, HEAD + TAG_BYTES * MOST_TOPICS);
  return { seq, kept: tags.length === 0 ? undefined : concatBytes(question, answer.subarray(SALT, HEAD), tags) };
}

/** FNV-1a, 32 bits, over the question and all of the answer but the check itself. It is against wrong bits, not against liars. */
function check(question: Uint8Array, answer: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (const byte of question) hash = Math.imul(hash ^ byte, FNV_PRIME);
  for (let at = 0; at < SEQ_BYTES; at++) hash = Math.imul(hash ^ answer[at]!, FNV_PRIME);
  for (let at = SALT; at < answer.length; at++) hash = Math.imul(hash ^ answer[at]!, FNV_PRIME);
  return hash >>> 0;
}

/** A list that was pulled. */
export class TopicList {
  readonly #tagger: Tagger;
  readonly #tags: Uint8Array;

  /** @param kept what `decodeList` gave. */
  constructor(between: Between, kept: Uint8Array) {
    this.#tagger = new Tagger({ use: 'list', ...between, nonce: kept.subarray(0, 2 * NONCE_BYTES) });
    this.#tags = kept.subarray(2 * NONCE_BYTES);
  }

  /** Is the topic of that key on it? */
  has(key: Uint8Array): boolean {
    return hasTag(this.#tags, this.#tagger.tag(key));
  }
}

const FNV_PRIME = 0x0100_0193;
/** Tags of a list at least: a node on 1 topic looks like one on 8. */
const LEAST_TAGS = 8;
const SEQ_BYTES = 4;
const SALT = SEQ_BYTES + 4;
const HEAD = SALT + NONCE_BYTES;
