// The id of a message: its publisher, the publisher's life, and a sequence number. Publishing equal
// content twice gives two ids.

import type { Bytes } from '@trunkline/transport-core/backend';
import { NAME_BYTES, readName, writeName } from './hex-names.ts';
import { look } from './word-reader.ts';

export interface MessageId {
  /** The node id of the publisher. Only a signature proves it. */
  readonly origin: string;
  /**
   * The life of the publisher, 0 to 2^48 − 1. It is higher after each restart, such as the start
   * time in milliseconds since 1970.
   */
  readonly epoch: number;
  /**
   * A sequence number that counts up from 0 within an epoch, 0 to 2^48 − 1. Numbers may be skipped.
   */
  readonly sequence: number;
}

/** The highest epoch and sequence: six bytes. */
export const LARGEST_NUMBER = 2 ** 48 - 1;

/** Size of an encoded id in bytes: 32 for the origin, 6 for the epoch and 6 for the sequence. */
export const MESSAGE_ID_BYTES = 44;

/** Maximum length of an origin in characters; no node id is longer. */
const LONGEST_ORIGIN = 128;

/**
 * Returns true if the value is a well-formed id. The origin may be any short string, so that
 * simulations can name their nodes freely.
 */
export function isMessageId(value: unknown): value is MessageId {
  if (typeof value !== 'object' || value === null) return false;
  const { origin, epoch, sequence } = value as Partial<MessageId>;
  return (
    typeof origin === 'string' &&
    origin.length > 0 &&
    origin.length <= LONGEST_ORIGIN &&
    isCount(epoch) &&
    isCount(sequence)
  );
}

/**
 * Returns a string that is equal for equal ids and different for different ones. All keys of one
 * life share their ending. The endings of recent lives are cached, because most messages belong to
 * a few lives.
 */
export function messageKey({ origin, epoch, sequence }: MessageId): string {
  // A mask is used, because the remainder of a division would take longer than all other steps
  // here.
  const place = epoch & (kept.length - 1);
  let life = kept[place];
  if (life === undefined || life.epoch !== epoch || life.origin !== origin)
    kept[place] = life = { origin, epoch, end: `.${epoch}.${origin}` };
  return sequence + life.end;
}

/** The cached endings, by the last bits of the epoch. */
const kept: (
  | { readonly origin: string; readonly epoch: number; readonly end: string }
  | undefined
)[] = new Array(64).fill(undefined);

/**
 * Encodes an id as 44 bytes, big-endian, so that ids sort by origin, then epoch, then sequence.
 * Throws a TypeError if the id is malformed or its origin is not 64 lower-case hex digits.
 */
export function encodeMessageId(id: MessageId): Bytes {
  const bytes = new Uint8Array(MESSAGE_ID_BYTES);
  writeMessageId(id, bytes, 0);
  return bytes;
}

/**
 * Encodes an id into the 44 bytes that begin at `at`. Throws the same errors as `encodeMessageId`.
 */
export function writeMessageId(id: MessageId, bytes: Uint8Array, at: number): void {
  if (!isMessageId(id) || !writeName(id.origin, bytes, at)) {
    throw new TypeError(
      'encodeMessageId: id: must have a node id, and an epoch and a sequence from 0 to 2^48 - 1',
    );
  }
  writeNumber(bytes, at + NAME_BYTES, id.epoch);
  writeNumber(bytes, at + NAME_BYTES + 6, id.sequence);
}

/** Decodes an id. Returns undefined unless there are 44 bytes. */
export function decodeMessageId(bytes: Uint8Array): MessageId | undefined {
  return bytes.length === MESSAGE_ID_BYTES ? readMessageId(bytes, 0) : undefined;
}

/** Decodes the id in the 44 bytes that begin at `at`. */
export function readMessageId(bytes: Uint8Array, at: number): MessageId {
  const origin = readName(bytes, at);
  const { view, at: start } = look(bytes);
  return {
    origin,
    epoch: readNumber(view, start + at + NAME_BYTES),
    sequence: readNumber(view, start + at + NAME_BYTES + 6),
  };
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LARGEST_NUMBER;
}

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  const low = value >>> 0;
  bytes[at] = high >>> 8;
  bytes[at + 1] = high;
  bytes[at + 2] = low >>> 24;
  bytes[at + 3] = low >>> 16;
  bytes[at + 4] = low >>> 8;
  bytes[at + 5] = low;
}

function readNumber(view: DataView, at: number): number {
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
}
