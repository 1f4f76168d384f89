// The wire protocol of signaling: the methods that nodes and the hub call on each other. The hub
// forwards the items of `open` and `relay` without reading them.

import { bytes, json, limited } from '@trunkline/transport-core';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import * as z from 'zod/mini';

/** Maximum size of a registration, or of a request that names one node, in bytes. */
const SHORT = 2_048;
/**
 * Maximum size of one message of a session, in bytes: a description of 16,384 characters, as JSON.
 */
export const LONGEST_MESSAGE = 128 * 1024;
/** Maximum size of one piece of a relayed stream, in bytes. */
export const LONGEST_PIECE = 64 * 1024;
/** The realm of nodes that give none, as in Babble. */
export const DEFAULT_REALM = 'main';
/** Maximum length of a realm's name, in characters. */
export const LONGEST_REALM = 64;
/** The address of a hub: at most 512 printable ASCII characters. */
export const HUB_ADDRESS = /^[!-~]{1,512}$/;

const nodeId = z.string().check(z.maxLength(64));
const base64 = z.string().check(z.maxLength(512));
const target = limited(json(z.object({ to: nodeId })), SHORT);
/** An id as the hub names it: nodes don't trust the hub, and show it to people. */
const from = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const source = limited(json(z.object({ from })), SHORT);
/** `source` is the same for all nodes behind one address, and doesn't tell the address. */
const sessionSource = limited(
  json(z.object({ from, source: z.string().check(z.maxLength(64)) })),
  SHORT,
);
const messages = limited(bytes, LONGEST_MESSAGE);
const pieces = limited(bytes, LONGEST_PIECE);

/**
 * The protocol of signaling. Pass it to a transport that only serves a hub; on a transport with
 * another protocol, the hub mounts it.
 */
export const signalingProtocol = defineProjectProtocol({
  name: 'trunkline.signaling',
  version: 1,
  channel: 0x03,
  methods: {
    /**
     * Registers the calling connection for a node in a realm, for as long as the call lasts. The
     * hub sends a challenge, the node answers with its signature (see `proof.ts`), and the hub
     * sends an empty item once the node is registered. If the connection has proven this node id,
     * there is no challenge: the first item is the empty one.
     */
    register: {
      id: 1,
      request: limited(
        json(
          z.object({
            /** The address at which the node has dialed the hub; the signature covers it. */
            hub: z.string().check(z.regex(HUB_ADDRESS)),
            realm: z.string().check(z.minLength(1), z.maxLength(LONGEST_REALM)),
            publicKey: base64,
          }),
        ),
        SHORT,
      ),
      upload: limited(bytes, SHORT),
      download: limited(bytes, SHORT),
    },
    /** Sets whether the registered node accepts sessions (and relayed streams) from other nodes. */
    accepting: { id: 2, request: limited(json(z.boolean()), SHORT), response: bytes },
    /**
     * Opens a session to another node. The first item that the callee sends is empty, and means
     * that the session was accepted.
     */
    open: { id: 3, request: target, upload: messages, download: messages },
    /** Forwards a session from the hub to the node that it is for. */
    session: { id: 4, request: sessionSource, upload: messages, download: messages },
    /** A variant of `open` for a stream of bytes that the hub relays. */
    relay: { id: 5, request: target, upload: pieces, download: pieces },
    /** A variant of `session` for a stream of bytes that the hub relays. */
    relayed: { id: 6, request: source, upload: pieces, download: pieces },
  },
});

/** The protocol's type, for transports that carry it. */
export type SignalingProtocol = typeof signalingProtocol;
