// What gossip says between nodes: a protocol beside the user's own, on a channel of the project's (0x00 to 0x0f).

import { bytes, defineProjectProtocol, json, limited } from '@trunkline/transport-core';
import * as z from 'zod/mini';
import { LARGEST_NUMBER } from './messages/message-id.ts';

/** Bytes of messages that have a few numbers and names. */
const SHORT = 1_024;
/** Bytes of messages with lists: of 1,024 node ids or tags, or of 16 nodes and their addresses. */
const LISTS = 64 * 1024;
/** Bytes of a piece of a relayed message. */
const PIECE = 256 * 1024;
/** Bytes of Plumtree's control, and the most that its option `controlSize` may be. */
export const LONGEST_CONTROL = 64 * 1024;

const life = z.int().check(z.minimum(0), z.maximum(LARGEST_NUMBER));

export const gossipProtocol = defineProjectProtocol({
  name: 'trunkline.gossip',
  version: 1,
  channel: 0x02,
  methods: {
    /** A message: `encodePush`. The limit is the topic's, and the transport's `limits.message`. */
    push: { id: 1, request: bytes },
    /** Plumtree's control: `encodeControl`. */
    control: { id: 2, request: limited(bytes, LONGEST_CONTROL) },
    /** HyParView's messages: rare, so they are readable. The topic is its key in hex; `addresses` are those of nodes that the message names, see `Addresses`; `life` as in `terms`. */
    view: {
      id: 3,
      request: limited(json(z.object({ topic: z.string(), message: z.unknown(), addresses: z.optional(z.unknown()), life: z.optional(life) })), LISTS),
    },
    /** The number of the sender's list of topics; `empty`: there is none on it, so that it needn't be pulled. */
    interest: { id: 4, request: limited(json(z.object({ seq: z.int().check(z.minimum(0), z.maximum(0xffff_ffff)), empty: z.boolean() })), SHORT) },
    /** Asks for the list, in which only who is on a topic recognises it: `askForList`, `encodeList`. */
    pull: { id: 5, request: limited(bytes, SHORT), response: limited(bytes, LISTS), timeout: 5_000 },
    /** A long message, to be passed on while it comes: `encodeHead`, then the frame of `encodePush` in pieces; answered by `encodeReport`. */
    relay: { id: 6, request: limited(bytes, LISTS), upload: limited(bytes, PIECE), response: limited(bytes, LISTS) },
    /** To its origin: a relayed message is here: `encodeReceipt`. */
    receipt: { id: 7, request: limited(bytes, SHORT) },
    /** What the sender does on a topic, by the topic's key in hex: told where it is not what peers take for granted. `life`: the newest life of the
     * receiver that the sender has heard of, which began anew since. */
    terms: {
      id: 9,
      request: limited(
        json(
          z.object({
            topic: z.string(),
            overlay: z.string().check(z.regex(/^[\w-]{1,32}$/)),
            limit: z.int().check(z.minimum(1), z.maximum(0xffff_ffff)),
            life: z.optional(life),
          }),
        ),
        SHORT,
      ),
    },
    /** Asks a node for others on topics that both are on: `encodeQuestion`. Entries of the answer are looked at one by one. */
    ask: { id: 8, request: limited(bytes, SHORT), response: limited(json(z.object({ addresses: z.array(z.unknown()) })), LISTS), timeout: 5_000 },
  },
});

/** Topics of one node at most. */
export const MOST_TOPICS = 1_024;
/** Bytes of a topic's key. */
export const KEY_BYTES = 32;
