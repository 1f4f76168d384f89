// The protocol between peers. It runs alongside the user's own protocol, on a channel that is
// reserved for Trunkline (0x00 to 0x0f). docs/wire-peers.md specifies it. Tested in status.test.ts
// and driver/status-exchange.test.ts.

import {
  bytes,
  json,
  limited,
  type Remote,
  type RequestInput,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import type { OneWayName } from '@trunkline/transport-core/backend';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import * as z from 'zod/mini';
import { LONGEST_LIST } from './exchange/address-list.ts';

/**
 * Maximum size of a status in bytes. A status describes a node; it is not meant for application
 * data.
 */
export const LONGEST_STATUS: number = 64 * 1024;
/** Maximum size, in bytes, of a message that is empty or contains a number. */
const SHORT = 256;
/** Maximum size of a list of services, in bytes. It has room for 64 names of 63 characters. */
const LONGEST_SERVICES = 8 * 1024;
/** Number of bytes of an encoded status without its value. */
const STATUS_HEAD = 5;

/** The protocol `trunkline.peers`. A node that mounts it is a peer to others. */
export const peersProtocol = defineProjectProtocol({
  name: 'trunkline.peers',
  version: 1,
  channel: 0x01,
  methods: {
    /** Asks for addresses; the message is empty. */
    request: { id: 1, request: limited(bytes, SHORT) },
    /**
     * Answers `request`; the message is made by `encodeList`. Entries are read one by one, so a
     * malformed entry does not affect the others.
     */
    addresses: { id: 2, request: limited(bytes, LONGEST_LIST) },
    /** The number of the sender's status; 0 if the sender has had no status yet. */
    status: {
      id: 3,
      request: limited(
        json(z.object({ seq: z.int().check(z.minimum(0), z.maximum(0xffff_ffff)) })),
        SHORT,
      ),
    },
    /** The services that the sender serves now; each list replaces the one before. */
    services: {
      id: 5,
      request: limited(json(z.object({ services: z.array(z.string()) })), LONGEST_SERVICES),
    },
    /**
     * Asks for the status itself; the response is made by `encodeStatus`. `PULL_TIMEOUT` of
     * status-sync.ts must not be shorter than `timeout`.
     */
    pull: {
      id: 4,
      request: limited(bytes, SHORT),
      response: limited(bytes, STATUS_HEAD + LONGEST_STATUS),
      timeout: 5_000,
    },
  },
});

/** The mounted protocol, over which nodes exchange addresses, statuses and services. */
export type PeersMount = Transport<typeof peersProtocol>;

/**
 * Sends a message now or not at all. Ignores a TransportError, because this node is not at fault if
 * the other end uses this channel for another protocol. Returns false if the message may be sent
 * later.
 */
export function say<N extends OneWayName<typeof peersProtocol>>(
  mount: PeersMount,
  to: Remote,
  method: N,
  message: RequestInput<typeof peersProtocol, N>,
): boolean {
  try {
    return mount.trySend(to, method, message);
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    return true;
  }
}

/**
 * The feature in the hello of an accepting node that has no room for the dialer as a peer: it
 * answers one `request` for addresses on this connection, and then disconnects.
 */
export const VISIT = 'trunkline.peers/visit';

/**
 * Encodes a status: its number as four big-endian bytes, one byte that is set if there is a value,
 * and the value.
 */
export function encodeStatus(seq: number, value: Uint8Array | undefined): Uint8Array {
  const message = new Uint8Array(STATUS_HEAD + (value?.length ?? 0));
  new DataView(message.buffer).setUint32(0, seq);
  if (value !== undefined) {
    message[4] = 1;
    message.set(value, STATUS_HEAD);
  }
  return message;
}

/** Decodes a status. Returns undefined if the bytes are malformed. */
export function decodeStatus(
  message: Uint8Array,
): { seq: number; value: Uint8Array | undefined } | undefined {
  if (
    message.length < STATUS_HEAD ||
    message[4]! > 1 ||
    (message[4] === 0 && message.length > STATUS_HEAD)
  )
    return undefined;
  const seq = new DataView(message.buffer, message.byteOffset).getUint32(0);
  return { seq, value: message[4] === 1 ? message.slice(STATUS_HEAD) : undefined };
}
