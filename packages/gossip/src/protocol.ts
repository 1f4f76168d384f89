// The wire protocol of gossip. It runs alongside the protocol of the user, on a channel that is
// reserved for Trunkline (0x00 to 0x0f). docs/wire-gossip.md specifies it; change both together.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { bytes, json, limited } from '@trunkline/transport-core';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import * as z from 'zod/mini';
import { LARGEST_NUMBER } from './messages/message-id.ts';
import type { Refusal } from './types.ts';

/** Maximum size, in bytes, of messages with a few numbers and names. */
const SHORT = 1_024;
/**
 * Maximum size, in bytes, of messages with lists of 1,024 node ids or tags, or of 16 nodes and
 * their addresses.
 */
const LISTS = 64 * 1024;
/** Maximum size, in bytes, of one piece of a relayed message. */
const PIECE = 256 * 1024;
/** Maximum size, in bytes, of a Plumtree control message. */
const LONGEST_CONTROL = 64 * 1024;

const life = z.int().check(z.minimum(0), z.maximum(LARGEST_NUMBER));
const seq = z.int().check(z.minimum(0), z.maximum(0xffff_ffff));
const view = z.object({
  topic: z.string(),
  message: z.unknown(),
  addresses: z.optional(z.unknown()),
  life: z.optional(life),
});
const terms = z.object({
  topic: z.string(),
  overlay: z.string().check(z.regex(/^[\w-]{1,32}$/)),
  limit: z.int().check(z.minimum(1), z.maximum(0xffff_ffff)),
  life: z.optional(life),
});

export const gossipProtocol = defineProjectProtocol({
  name: 'trunkline.gossip',
  version: 1,
  channel: 0x02,
  methods: {
    /**
     * A message, see `encodePush`. Its size is bounded by the limit of the topic and the
     * transport's `limits.message`.
     */
    push: { id: 1, request: bytes },
    /** A Plumtree control message, see `encodeControl`. */
    control: { id: 2, request: limited(bytes, LONGEST_CONTROL) },
    /**
     * A HyParView message. These are rare, so they are readable JSON. `topic` is the topic key in
     * hex; `addresses` are the addresses of nodes that the message names, see `Addresses`; `life`
     * has the same meaning as in `terms`.
     */
    view: { id: 3, request: limited(json(view), LISTS) },
    /**
     * The version number of the sender's list of topics. `empty` means that the list is empty and
     * need not be pulled.
     */
    interest: { id: 4, request: limited(json(z.object({ seq, empty: z.boolean() })), SHORT) },
    /**
     * Asks for the list of topics; only members of a topic can recognize it there. See `askForList`
     * and `encodeList`.
     */
    pull: {
      id: 5,
      request: limited(bytes, SHORT),
      response: limited(bytes, LISTS),
      timeout: 5_000,
    },
    /**
     * A long message, to be passed on while it is received: `encodeHead`, then the frame of
     * `encodePush` in pieces. The response is `encodeReport`.
     */
    relay: {
      id: 6,
      request: limited(bytes, LISTS),
      upload: limited(bytes, PIECE),
      response: limited(bytes, LISTS),
    },
    /** Informs the origin of a message what the sender did with it; see `encodeReceipt`. */
    receipt: { id: 7, request: limited(bytes, SHORT) },
    /**
     * The sender's settings on a topic, identified by its key in hex. Sent if they differ from what
     * peers assume. `life`: the newest life of the receiver that the sender knows, if the receiver
     * has restarted since.
     */
    terms: { id: 9, request: limited(json(terms), SHORT) },
    /**
     * Asks a node for others on topics that both are on, see `encodeQuestion`. Each entry of the
     * answer is checked on its own.
     */
    ask: {
      id: 8,
      request: limited(bytes, SHORT),
      response: limited(json(z.object({ addresses: z.array(z.unknown()) })), LISTS),
      timeout: 5_000,
    },
  },
});

/**
 * The reasons why a node does not take a message, as errors explain them. A receipt carries the
 * place of the reason in this list, counted from 1 (docs/wire-gossip.md). So the order must not
 * change; add new reasons at the end.
 */
export const REFUSALS = {
  'not-on-topic': 'it is not on the topic',
  'not-addressed': 'the message is addressed to other nodes',
  excluded: 'the message excludes this node',
  forged: 'it considers the message forged',
  unsigned: 'it accepts only signed messages',
  'too-large': 'the message is above its limit for the topic',
  undecodable: 'its codec refuses the message',
  rejected: 'its validator rejects the message',
  ignored: 'its validator ignores the message',
  timeout: 'its validator took too long',
  overloaded: 'too many messages wait for its validator',
  refused: 'it refused the message before',
  old: 'it considers the message to be of an earlier run of the publisher',
  full: 'it cannot remember another publisher',
  own: 'the message names it as the publisher',
  stranger: 'the publisher is not its neighbor, perhaps because it uses another overlay',
  'no-room': 'it had no room for the message',
  unverified: 'it cannot verify signatures: give it signatures.verify',
} satisfies Record<Refusal, string>;

/** Maximum number of topics of one node. */
export const MOST_TOPICS = 1_024;
/** Size of a topic key in bytes. */
export const KEY_BYTES = 32;

/** A topic's key, and its name for people. */
export interface TopicKey {
  /** The name in events and errors: the string that was given, or the bytes in hex. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly hex: string;
}

/**
 * Returns the SHA-256 of a name, or the 32 bytes that were given. Throws a TypeError for anything
 * else.
 */
export function topicKey(topic: string | Uint8Array): TopicKey {
  if (typeof topic === 'string') {
    if (LONE.test(topic))
      throw new TypeError(
        'gossip.topic: topic: must be a well-formed string; this one has half of a surrogate pair',
      );
    const bytes = sha256(utf8ToBytes(topic));
    return { name: topic, bytes, hex: bytesToHex(bytes) };
  }
  if (!(topic instanceof Uint8Array) || topic.length !== KEY_BYTES) {
    throw new TypeError(
      `gossip.topic: topic: must be a string or ${KEY_BYTES} bytes, got ${topic instanceof Uint8Array ? `${topic.length} bytes` : typeof topic}`,
    );
  }
  const bytes = new Uint8Array(topic);
  const hex = bytesToHex(bytes);
  return { name: hex, bytes, hex };
}

const LONE = /\p{Surrogate}/u;
