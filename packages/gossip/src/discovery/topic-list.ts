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
 * The answer: 4 bytes of the list's number, big-endian, 16 random bytes, and 16 bytes a tag. Undefined for a question that is none. The keys are
 * 32 bytes each; 1,024 of them are 10 ms of work.
 */
export function encodeList(between: Between, question: Uint8Array, seq: number, keys: Iterable<Uint8Array>, random: Random): Uint8Array | undefined {
  if (question.length !== NONCE_BYTES) return undefined;
  const head = new Uint8Array(HEAD);
  new DataView(head.buffer).setUint32(0, seq);
  const salt = randomBytes(random, NONCE_BYTES);
  head.set(salt, SEQ_BYTES);
  const tagger = new Tagger({ use: 'list', ...between, nonce: concatBytes(question, salt) });
  return concatBytes(head, makeTags(tagger, keys, random, LEAST_TAGS));
}

/**
 * Reads an answer: its number, and the list as it is kept (undefined: of no topics), by which topics are recognised also later: at most 16 KiB and
 * 32 bytes. What is above 1,024 tags is left out. Undefined for what is no answer.
 */
export function decodeList(question: Uint8Array, answer: Uint8Array): { readonly seq: number; readonly kept: Uint8Array | undefined } | undefined {
  if (answer.length < HEAD || (answer.length - HEAD) % TAG_BYTES !== 0) return undefined;
  const seq = new DataView(answer.buffer, answer.byteOffset).getUint32(0);
  const tags = answer.subarray(HEAD, HEAD + TAG_BYTES * MOST_TOPICS);
  return { seq, kept: tags.length === 0 ? undefined : concatBytes(question, answer.subarray(SEQ_BYTES, HEAD), tags) };
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

/** Tags of a list at least: a node on 1 topic looks like one on 8. */
const LEAST_TAGS = 8;
const SEQ_BYTES = 4;
const HEAD = SEQ_BYTES + NONCE_BYTES;
