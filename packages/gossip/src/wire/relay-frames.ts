// The encodings of the messages by which origins, relays and receivers transfer a long message. All
// fields have fixed positions; numbers are big-endian.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import {
  MESSAGE_ID_BYTES,
  type MessageId,
  readMessageId,
  writeMessageId,
} from '../messages/message-id.ts';
import { KEY_BYTES } from '../protocol.ts';
import type { Refusal } from '../types.ts';

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
  const bytes = new Uint8Array(HEAD + KEY_BYTES * rest.length);
  bytes.set(encodeReceipt({ topic, id }));
  const view = new DataView(bytes.buffer);
  view.setUint16(RECEIPT, hops);
  view.setUint32(RECEIPT + 2, size);
  writeNodes(bytes, HEAD, rest);
  return bytes;
}

/**
 * Decodes a head. Returns undefined if the bytes are malformed: of the wrong length, with too many
 * nodes, or with the same node twice.
 */
export function decodeHead(bytes: Uint8Array): RelayHead | undefined {
  const rest = readNodes(bytes, HEAD);
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
  if (verdict !== undefined) bytes[RECEIPT] = VERDICTS[verdict];
  bytes.set(hexToBytes(topic));
  writeMessageId(id, bytes, KEY_BYTES);
  return bytes;
}

/** Decodes a receipt. Returns undefined if the bytes are malformed. */
export function decodeReceipt(bytes: Uint8Array): Receipt | undefined {
  if (bytes.length !== RECEIPT && bytes.length !== RECEIPT + 1) return undefined;
  const receipt = {
    topic: bytesToHex(bytes.subarray(0, KEY_BYTES)),
    id: readMessageId(bytes, KEY_BYTES),
  };
  const verdict = bytes[RECEIPT];
  return verdict === undefined
    ? receipt
    : { ...receipt, verdict: BY_NUMBER.get(verdict) ?? 'refused' };
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
const HEAD = RECEIPT + 2 + 4;
const OUTCOMES = ['took', 'had', 'busy'] as const;
/** The numbers of the verdicts on the wire (docs/wire-gossip.md). */
const VERDICTS: Readonly<Record<DeliveryOutcome, number>> = {
  took: 0,
  'not-on-topic': 1,
  'not-addressed': 2,
  excluded: 3,
  forged: 4,
  unsigned: 5,
  'too-large': 6,
  undecodable: 7,
  rejected: 8,
  ignored: 9,
  timeout: 10,
  overloaded: 11,
  refused: 12,
  old: 13,
  full: 14,
  own: 15,
  stranger: 16,
  'no-room': 17,
  unverified: 18,
};
const BY_NUMBER = new Map(
  Object.entries(VERDICTS).map(([verdict, number]) => [number, verdict as DeliveryOutcome]),
);
