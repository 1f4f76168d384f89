// The compact binary encoding of messages, of Plumtree control messages, of relayed messages, and
// of receipts. Most fields have fixed offsets. Pure functions, except that `encodePush` caches its
// result; the driver calls them. docs/wire-gossip.md specifies the format; change both together.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import {
  MESSAGE_ID_BYTES,
  type MessageId,
  readMessageId,
  readName,
  rest,
  writeMessageId,
} from '../messages/message-id.ts';
import { type Audience, type Body, type Recipients, SIGNATURE_BYTES } from '../overlay/overlay.ts';
import type { Control, Notice, Push } from '../plumtree/message.ts';
import { KEY_BYTES, REFUSALS } from '../protocol.ts';
import type { Refusal } from '../types.ts';

/**
 * A received message. Its payload is not decoded yet, and its signature is not verified; both are
 * views of the received bytes. The same object is also the body that overlays carry.
 */
export interface Envelope extends Body {
  /** The topic key in hex. */
  readonly topic: string;
  readonly id: MessageId;
  readonly hops: number;
  /** True if the sender asks for a receipt. */
  readonly isAsked: boolean;
}

/**
 * Encodes a message:
 * - 1 byte for the audience (0 all, 1 to, 2 except), plus 0x80 if it is signed and 0x40 if its
 *   sender asks for a receipt
 * - 32 bytes for the topic key
 * - 2 bytes for the hops
 * - 44 bytes for the message id
 * - if the audience is a list: 2 bytes for its length and 32 bytes for each node
 * - if it is signed: 1 byte for the key's length, the key, and 64 bytes for the signature
 * - the payload
 *
 * Numbers are big-endian. The body keeps the frame, which is returned again for the same hops, no
 * matter which topic is given: a body belongs to one topic. So nobody may change the bytes.
 */
export function encodePush(topic: Uint8Array, { id, hops, payload: body }: Push<Body>): Uint8Array {
  if (body.frame?.hops === hops) return body.frame.bytes;
  const { payload, signature } = body;
  const recipients = body.audience === 'all' ? ALL : encodeRecipients(body);
  const seal = HEAD + recipients.length - 1;
  const sealed = signature === undefined ? 0 : 1 + signature.publicKey.length + SIGNATURE_BYTES;
  const bytes = new Uint8Array(seal + sealed + payload.length);
  bytes[0] =
    recipients[0]! | (signature === undefined ? 0 : SIGNED) | (body.receipt === true ? ASKED : 0);
  bytes.set(topic, 1);
  writeShort(bytes, 33, hops);
  writeMessageId(id, bytes, 35);
  if (recipients.length > 1) bytes.set(recipients.subarray(1), HEAD);
  if (signature !== undefined) {
    bytes[seal] = signature.publicKey.length;
    bytes.set(signature.publicKey, seal + 1);
    bytes.set(signature.bytes, seal + sealed - SIGNATURE_BYTES);
  }
  bytes.set(payload, seal + sealed);
  body.frame = { hops, bytes };
  return bytes;
}

/** Encodes the audience in 1 byte, followed by the list of nodes if there is one. */
export function encodeRecipients({ audience, nodes }: Recipients): Uint8Array {
  const bytes = new Uint8Array(audience === 'all' ? 1 : 3 + KEY_BYTES * nodes.length);
  bytes[0] = AUDIENCES.indexOf(audience);
  if (audience === 'all') return bytes;
  writeShort(bytes, 1, nodes.length);
  writeNodes(bytes, 3, nodes);
  return bytes;
}

/** Returns true if an encoded message has a signature. */
export function isSignedPush(bytes: Uint8Array): boolean {
  return (bytes[0]! & SIGNED) !== 0;
}

/**
 * Decodes a message. Returns undefined if the bytes are malformed. A list of nodes may contain the
 * same node twice.
 */
export function decodePush(bytes: Uint8Array): Envelope | undefined {
  if (bytes.length < HEAD) return undefined;
  const audience = AUDIENCES[bytes[0]! & ~(SIGNED | ASKED)];
  if (audience === undefined) return undefined;
  let at = HEAD;
  let nodes: readonly string[] = NOBODY;
  if (audience !== 'all') {
    if (bytes.length < HEAD + 2) return undefined;
    const count = readShort(bytes, HEAD);
    at = HEAD + 2 + KEY_BYTES * count;
    if (count > MOST_RECIPIENTS || bytes.length < at) return undefined;
    nodes = Array.from({ length: count }, (_, i) =>
      bytesToHex(bytes.subarray(HEAD + 2 + KEY_BYTES * i, HEAD + 2 + KEY_BYTES * (i + 1))),
    );
  }
  let signature: Body['signature'];
  if ((bytes[0]! & SIGNED) !== 0) {
    const key = at + 1;
    at = key + (bytes[at] ?? 0) + SIGNATURE_BYTES;
    if (bytes.length < at) return undefined;
    signature = {
      publicKey: bytes.subarray(key, at - SIGNATURE_BYTES),
      bytes: bytes.subarray(at - SIGNATURE_BYTES, at),
    };
  }
  return {
    topic: readName(bytes, 1),
    id: readMessageId(bytes, 35),
    hops: readShort(bytes, 33),
    isAsked: (bytes[0]! & ASKED) !== 0,
    audience,
    nodes,
    payload: rest(bytes, at),
    message: undefined,
    signature,
    frame: undefined,
  };
}

/**
 * Encodes a control message: 1 byte for the kind and 32 for the topic key, then 44 bytes for each
 * id. In notices, 2 bytes for the hops follow each id.
 */
export function encodeControl(topic: Uint8Array, control: Control): Uint8Array {
  const { kind } = control;
  const each = kind === 'ihave' ? NOTICE : MESSAGE_ID_BYTES;
  const ids = 'ids' in control ? control.ids : [];
  const notices = kind === 'ihave' ? control.notices : ids.map((id) => ({ id, hops: 0 }));
  const bytes = new Uint8Array(1 + KEY_BYTES + each * notices.length);
  bytes[0] = KINDS.indexOf(kind);
  bytes.set(topic, 1);
  for (const [i, { id, hops }] of notices.entries()) {
    const at = 1 + KEY_BYTES + each * i;
    writeMessageId(id, bytes, at);
    if (kind === 'ihave') writeShort(bytes, at + MESSAGE_ID_BYTES, hops);
  }
  return bytes;
}

/** Decodes a control message. Returns undefined if the bytes are malformed. */
export function decodeControl(
  bytes: Uint8Array,
): { readonly topic: string; readonly control: Control } | undefined {
  const kind = KINDS[bytes[0] ?? KINDS.length];
  const each = kind === 'ihave' ? NOTICE : MESSAGE_ID_BYTES;
  const length = bytes.length - 1 - KEY_BYTES;
  const isBare = kind === 'prune' || kind === 'attach';
  if (kind === undefined || length < 0 || length % each !== 0 || (isBare && length > 0))
    return undefined;
  const topic = readName(bytes, 1);
  if (isBare) return { topic, control: { kind } };
  const notices: Notice[] = [];
  for (let at = 1 + KEY_BYTES; at < bytes.length; at += each) {
    const id = readMessageId(bytes, at);
    notices.push({ id, hops: kind === 'ihave' ? readShort(bytes, at + MESSAGE_ID_BYTES) : 0 });
  }
  return {
    topic,
    control: kind === 'ihave' ? { kind, notices } : { kind, ids: notices.map(({ id }) => id) },
  };
}

function writeShort(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

function readShort(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}

/**
 * Maximum size, in bytes, of a frame without its payload and its list of nodes: the fixed fields,
 * the key of a signer and the signature.
 */
export const FRAME_AROUND = 256;
/** Maximum number of node ids in one list, which take 32 KiB. */
export const MOST_RECIPIENTS = 1_024;
const AUDIENCES: readonly Audience[] = ['all', 'to', 'except'];
const NOBODY: readonly string[] = [];
/** The encoded recipients of most messages. */
const ALL = encodeRecipients({ audience: 'all', nodes: NOBODY });
/** Flags in the audience byte. */
const SIGNED = 0x80;
const ASKED = 0x40;
const KINDS = ['ihave', 'graft', 'prune', 'absent', 'attach'] as const;
const HEAD = 1 + KEY_BYTES + 2 + MESSAGE_ID_BYTES;
const NOTICE = MESSAGE_ID_BYTES + 2;

// The encodings of the messages by which origins, relays and receivers transfer a long message. All
// fields have fixed positions; numbers are big-endian.

/** The head of a relayed message; the message itself follows in chunks. */
export interface RelayHead {
  /** The topic's key, in hex. */
  readonly topic: string;
  readonly id: MessageId;
  /** Number of links that the message will have traveled when it arrives. */
  readonly hops: number;
  /** Size in bytes of the frame that `encodePush` makes. */
  readonly size: number;
  /** Node ids to pass the message on to. */
  readonly rest: readonly string[];
}

/**
 * The outcome of a transfer. `took`: the receiver has the message and has passed it on. `had`: the
 * receiver had the message before. `busy`: another node is already sending the message to the
 * receiver. Only a receiver that reports `took` has passed the message on.
 */
export interface RelayReport {
  readonly outcome: 'took' | 'had' | 'busy';
  /** Receivers among the rest to which the message could not be passed on. */
  readonly missed: readonly string[];
}

/**
 * A receipt for the origin of a message. Without a verdict it means that a relay has brought the
 * whole message.
 */
export interface Receipt {
  readonly topic: string;
  readonly id: MessageId;
  /** The outcome at the receiver of a message whose origin asked for a receipt. */
  readonly verdict?: DeliveryOutcome | undefined;
}

/** The outcome of a message at a receiver. `took`: it was delivered to the readers. */
export type DeliveryOutcome = 'took' | Refusal;

/**
 * Encodes the head: 32 bytes for the topic, 44 for the id, 2 for the hops and 4 for the size; then
 * 32 bytes for each node.
 */
export function encodeHead({ topic, id, hops, size, rest }: RelayHead): Uint8Array {
  const bytes = new Uint8Array(RELAY_HEAD + KEY_BYTES * rest.length);
  bytes.set(encodeReceipt({ topic, id }));
  const view = new DataView(bytes.buffer);
  view.setUint16(RECEIPT, hops);
  view.setUint32(RECEIPT + 2, size);
  writeNodes(bytes, RELAY_HEAD, rest);
  return bytes;
}

/**
 * Decodes a head. Returns undefined if the bytes are malformed: of the wrong length, with too many
 * nodes, or with the same node twice.
 */
export function decodeHead(bytes: Uint8Array): RelayHead | undefined {
  const rest = readNodes(bytes, RELAY_HEAD);
  if (rest === undefined) return undefined;
  const { topic, id } = decodeReceipt(bytes.subarray(0, RECEIPT))!;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { topic, id, hops: view.getUint16(RECEIPT), size: view.getUint32(RECEIPT + 2), rest };
}

/** Encodes a report: 1 byte for the outcome; then 32 bytes for each node. */
export function encodeReport({ outcome, missed }: RelayReport): Uint8Array {
  const bytes = new Uint8Array(1 + KEY_BYTES * missed.length);
  bytes[0] = OUTCOMES.indexOf(outcome);
  writeNodes(bytes, 1, missed);
  return bytes;
}

/** Decodes a report. Returns undefined if the bytes are malformed. */
export function decodeReport(bytes: Uint8Array): RelayReport | undefined {
  const outcome = OUTCOMES[bytes[0] ?? OUTCOMES.length];
  const missed = readNodes(bytes, 1);
  return outcome === undefined || missed === undefined ? undefined : { outcome, missed };
}

/**
 * Encodes a receipt: 32 bytes for the topic and 44 for the id; then 1 for the verdict if there is
 * one.
 */
export function encodeReceipt({ topic, id, verdict }: Receipt): Uint8Array {
  const bytes = new Uint8Array(verdict === undefined ? RECEIPT : RECEIPT + 1);
  if (verdict !== undefined) bytes[RECEIPT] = VERDICTS.indexOf(verdict);
  bytes.set(hexToBytes(topic));
  writeMessageId(id, bytes, KEY_BYTES);
  return bytes;
}

/**
 * Decodes a receipt. Returns undefined if the bytes are malformed. A verdict that is not known here
 * counts as `refused`.
 */
export function decodeReceipt(bytes: Uint8Array): Receipt | undefined {
  if (bytes.length !== RECEIPT && bytes.length !== RECEIPT + 1) return undefined;
  const receipt = {
    topic: bytesToHex(bytes.subarray(0, KEY_BYTES)),
    id: readMessageId(bytes, KEY_BYTES),
  };
  const verdict = bytes[RECEIPT];
  return verdict === undefined ? receipt : { ...receipt, verdict: VERDICTS[verdict] ?? 'refused' };
}

function writeNodes(bytes: Uint8Array, at: number, nodes: readonly string[]): void {
  nodes.forEach((node, i) => void bytes.set(hexToBytes(node), at + KEY_BYTES * i));
}

function readNodes(bytes: Uint8Array, at: number): string[] | undefined {
  const count = (bytes.length - at) / KEY_BYTES;
  if (!Number.isInteger(count) || count < 0 || count > MOST_REST) return undefined;
  const nodes = new Set<string>();
  for (let i = at; i < bytes.length; i += KEY_BYTES)
    nodes.add(bytesToHex(bytes.subarray(i, i + KEY_BYTES)));
  return nodes.size === count ? [...nodes] : undefined;
}

/** Maximum number of nodes in a part, not counting its relay; their ids take 32 KiB. */
export const MOST_REST = 1_024;
const RECEIPT = KEY_BYTES + MESSAGE_ID_BYTES;
const RELAY_HEAD = RECEIPT + 2 + 4;
const OUTCOMES = ['took', 'had', 'busy'] as const;
/** The verdicts by their numbers on the wire (docs/wire-gossip.md). */
const VERDICTS = ['took', ...Object.keys(REFUSALS)] as readonly DeliveryOutcome[];
