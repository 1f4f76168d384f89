// What peers say to each other: a protocol beside the user's own, on a channel of the project's (0x00 to 0x0f).

import { bytes, defineProjectProtocol, json, limited } from '@trunkline/transport-core';
import * as z from 'zod/mini';
import { addressList } from './exchange/address-list.ts';

/** Bytes of a status: it is what a node tells of itself, not its data. */
export const LONGEST_STATUS: number = 64 * 1024;
/** Bytes of a message that has nothing in it, or a number. */
const SHORT = 256;
/** Bytes of a status besides its value. */
const STATUS_HEAD = 5;

export const peersProtocol = defineProjectProtocol({
  name: 'trunkline.peers',
  version: 1,
  channel: 0x01,
  methods: {
    /** Asks for addresses; nothing is in it. */
    request: { id: 1, request: limited(bytes, SHORT) },
    /** Answers that. Entries are looked at one by one: a bad one spoils no other. */
    addresses: { id: 2, request: addressList },
    /** The number of its sender's status, 0 where it has none. */
    status: { id: 3, request: limited(json(z.object({ seq: z.int().check(z.minimum(0), z.maximum(0xffff_ffff)) })), SHORT) },
    /** Asks for the status itself: `encodeStatus`. */
    pull: { id: 4, request: limited(bytes, SHORT), response: limited(bytes, STATUS_HEAD + LONGEST_STATUS), timeout: 5_000 },
  },
});

/**
 * The feature in the hello of an acceptor that has no room for the dialler as a peer: it answers one `request` for
 * addresses on this connection, and then disconnects.
 */
export const VISIT = 'trunkline.peers/visit';

/** A status as it crosses: four bytes of its number, big-endian, one that says whether there is a value, the value. */
export function encodeStatus(seq: number, value: Uint8Array | undefined): Uint8Array {
  const message = new Uint8Array(STATUS_HEAD + (value?.length ?? 0));
  new DataView(message.buffer).setUint32(0, seq);
  if (value !== undefined) {
    message[4] = 1;
    message.set(value, STATUS_HEAD);
  }
  return message;
}

/** Returns undefined if the bytes are malformed. */
export function decodeStatus(message: Uint8Array): { seq: number; value: Uint8Array | undefined } | undefined {
  if (message.length < STATUS_HEAD || message[4]! > 1 || (message[4] === 0 && message.length > STATUS_HEAD)) return undefined;
  const seq = new DataView(message.buffer, message.byteOffset).getUint32(0);
  return { seq, value: message[4] === 1 ? message.slice(STATUS_HEAD) : undefined };
}
