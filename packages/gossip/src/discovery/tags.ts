// Tags: keyed hashes that stand for topics. Only nodes that know a topic can recognize its tag,
// which differs in each exchange (after p2panda's confidential discovery). Pure functions; the
// format is part of the wire protocol (docs/wire-gossip.md). driver/interests.ts uses the lists,
// driver/walker.ts the questions.

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Random } from '@trunkline/transport-core';
import { type Bytes, randomBytes } from '@trunkline/transport-core/backend';
import { MOST_TOPICS } from '../protocol.ts';

/** Size of a tag in bytes. */
const TAG_BYTES = 16;
/** Size in bytes of the random value that each end contributes. */
const NONCE_BYTES = 16;

/**
 * The node that sends tags and the node that receives them, by their ids in hex; other text throws.
 * A tag is not recognized with any other sender or receiver, so no node can pass on the tags of
 * another node as its own.
 */
interface Between {
  readonly teller: string;
  readonly hearer: string;
}

/** The context of one exchange of tags: its sender, its receiver and a nonce. */
export interface Telling extends Between {
  /** `list`: all topics of a node; `ask`: the topics on which it looks for other nodes. */
  readonly use: 'list' | 'ask';
  /**
   * Random bytes of both ends, or of the end that asks, so that no two exchanges have a tag in
   * common.
   */
  readonly nonce: Uint8Array;
}

/** Returns the tag of a topic, given its key. */
type Tagger = (key: Uint8Array) => Uint8Array;

/**
 * Returns the function that makes the tags of one exchange: the first 16 bytes of HMAC-SHA-256 with
 * the topic key as its key, over the SHA-256 of the context. Computing a tag takes 10 µs.
 */
export function taggerOf({ use, teller, hearer, nonce }: Telling): Tagger {
  const purpose = utf8ToBytes(`trunkline.gossip ${use}\0`);
  const context = sha256(concatBytes(purpose, hexToBytes(teller), hexToBytes(hearer), nonce));
  return (key) => hmac(sha256, key, context).subarray(0, TAG_BYTES);
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
  const tags = Array.from(keys, tagger);
  if (tags.length === 0) return new Uint8Array();
  const size = Math.max(least, 2 ** Math.ceil(Math.log2(tags.length)));
  while (tags.length < size) tags.push(randomBytes(random, TAG_BYTES));
  return concatBytes(...tags.sort(compare));
}

/** Returns true if the tag is among the tags. If these are not sorted, it may miss the tag. */
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

// The answer that lists a node's topics for another node that asked: the number of the list, and a
// tag for each topic. A topic can be recognized by its tag, but not read from it.

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
  const tagger = taggerOf({ use: 'list', ...between, nonce: concatBytes(question, salt) });
  return sealList(question, concatBytes(head, makeTags(tagger, keys, random, LEAST_TAGS)));
}

/** Writes the checksum into an answer and returns the answer. Tests forge answers with it. */
export function sealList(question: Uint8Array, answer: Bytes): Bytes {
  new DataView(answer.buffer, answer.byteOffset).setUint32(SEQ_BYTES, check(question, answer));
  return answer;
}

/**
 * Decodes an answer. Returns its number and the part to keep for a {@link recognizerOf}: at most 32
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

/**
 * Returns a function that returns true if the topic with a key is on a list that was pulled from a
 * peer. It also recognizes topics that this node joins later.
 * @param kept the part of the list that `decodeList` returned
 */
export function recognizerOf(between: Between, kept: Uint8Array): (key: Uint8Array) => boolean {
  const nonce = kept.subarray(0, 2 * NONCE_BYTES);
  const tagger = taggerOf({ use: 'list', ...between, nonce });
  const tags = kept.subarray(nonce.length);
  return (key) => hasTag(tags, tagger(key));
}

const FNV_PRIME = 0x0100_0193;
/** Tags are padded to this number, so a node on 1 topic looks like a node on 8 topics. */
const LEAST_TAGS = 8;
const SEQ_BYTES = 4;
const SALT = SEQ_BYTES + 4;
const HEAD = SALT + NONCE_BYTES;

// Asks another node which nodes it knows on the topics that both are on. The question holds a tag
// for each topic.

/** Maximum number of topics in a question, and of nodes in an answer. */
export const MOST_ASKED = 16;

/**
 * Encodes 16 random bytes, and 16 bytes for each tag. Only the first 16 topics are asked about. The
 * number of tags is the next power of two, see `makeTags`.
 */
export function encodeQuestion(
  between: Between,
  keys: Iterable<Uint8Array>,
  random: Random,
): Uint8Array {
  const nonce = randomBytes(random, NONCE_BYTES);
  const tagger = taggerOf({ use: 'ask', ...between, nonce });
  return concatBytes(nonce, makeTags(tagger, [...keys].slice(0, MOST_ASKED), random, 1));
}

/**
 * Reads a question. Returns a function that returns true if the question is about the topic with a
 * key; undefined if the bytes are malformed.
 */
export function readQuestion(
  between: Between,
  bytes: Uint8Array,
): ((key: Uint8Array) => boolean) | undefined {
  if (bytes.length < NONCE_BYTES) return undefined;
  const tags = bytes.subarray(NONCE_BYTES);
  if (tags.length % TAG_BYTES !== 0 || tags.length > TAG_BYTES * MOST_ASKED) return undefined;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tagger = taggerOf({ use: 'ask', ...between, nonce });
  return (key) => hasTag(tags, tagger(key));
}
