// What peers say to each other: a protocol beside the user's own, on a channel of the project's (0x00 to 0x0f).

import { bytes, defineProjectProtocol, json } from '@trunkline/transport-core';
import * as z from 'zod/mini';

export const peersProtocol = defineProjectProtocol({
  name: 'trunkline.peers',
  version: 1,
  channel: 0x01,
  methods: {
    /** Asks for addresses; nothing is in it. */
    request: { id: 1, request: bytes },
    /** Answers that. Entries are looked at one by one: a bad one spoils no other. */
    addresses: { id: 2, request: json(z.object({ addresses: z.array(z.unknown()) })) },
    /** The number of its sender's status, 0 where it has none. */
    status: { id: 3, request: json(z.object({ seq: z.int().check(z.minimum(0), z.maximum(0xffff_ffff)) })) },
    /** Asks for the status itself: `encodeStatus`. */
    pull: { id: 4, request: bytes, response: bytes, timeout: 5_000 },
  },
});

/**
 * The feature in the hello of an acceptor that has no room for the dialler as a peer: it answers one `request` for
 * addresses on this connection, and then disconnects.
 */
export const VISIT = 'trunkline.peers/visit';

/** A status as it crosses: four bytes of its number, big-endian, one that says whether there is a value, the value. */
export function encodeStatus(seq: number, value: Uint8Array | undefined): Uint8Array {
  const message = new Uint8Array(5 + (value?.length ?? 0));
  new DataView(message.buffer).setUint32(0, seq);
  if (value !== undefined) {
    message[4] = 1;
    message.set(value, 5);
  }
  return message;
}

/** Undefined for what is none. */
export function decodeStatus(message: Uint8Array): { seq: number; value: Uint8Array | undefined } | undefined {
  if (message.length < 5 || message[4]! > 1 || (message[4] === 0 && message.length > 5)) return undefined;
  const seq = new DataView(message.buffer, message.byteOffset).getUint32(0);
  return { seq, value: message[4] === 1 ? message.slice(5) : undefined };
}
