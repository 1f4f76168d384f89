// Asks another node which nodes it knows on the topics that both are on. The question holds a tag
// for each topic.

import { concatBytes } from '@noble/hashes/utils.js';
import type { Random } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';
import { hasTag, makeTags, NONCE_BYTES, TAG_BYTES, Tagger } from './tags.ts';
import type { Between } from './topic-list.ts';

/** Maximum number of topics in a question, and of nodes in an answer. */
export const MOST_ASKED = 16;

/** Encodes 16 random bytes, and 16 bytes for each tag. Only the first 16 topics are asked about. */
export function encodeQuestion(
  between: Between,
  keys: Iterable<Uint8Array>,
  random: Random,
): Uint8Array {
  const nonce = randomBytes(random, NONCE_BYTES);
  return concatBytes(
    nonce,
    makeTags(
      new Tagger({ use: 'ask', ...between, nonce }),
      [...keys].slice(0, MOST_ASKED),
      random,
      1,
    ),
  );
}

/** A received question. */
export class Question {
  readonly #tagger: Tagger;
  readonly #tags: Uint8Array;

  private constructor(between: Between, bytes: Uint8Array) {
    this.#tagger = new Tagger({ use: 'ask', ...between, nonce: bytes.subarray(0, NONCE_BYTES) });
    this.#tags = bytes.subarray(NONCE_BYTES);
  }

  /** Reads a question. Returns undefined if the bytes are malformed. */
  static read(between: Between, bytes: Uint8Array): Question | undefined {
    const tags = bytes.length - NONCE_BYTES;
    return tags < 0 || tags % TAG_BYTES !== 0 || tags > TAG_BYTES * MOST_ASKED
      ? undefined
      : new Question(between, bytes);
  }

  /** Returns true if the question is about the topic with that key. */
  isAbout(key: Uint8Array): boolean {
    return hasTag(this.#tags, this.#tagger.tag(key));
  }
}
