// What a message is called: who published it, in which of its lives, and the how-manieth it was. Equal contents twice are two messages.

import { NAME_BYTES, readName, writeName } from './hex-names.ts';
import { look } from './words.ts';

export interface MessageId {
  /** The node id of the publisher; whether it is proven is for a signature to say. */
  readonly origin: string;
  /** Which life of the publisher: greater after each restart (such as the milliseconds since 1970 at its start). 0 to 2^48 − 1. */
  readonly epoch: number;
  /** Counts up within an epoch, from 0; numbers may be left out. 0 to 2^48 − 1. */
  readonly sequence: number;
}

/** The largest epoch and the largest sequence: six bytes. */
export const LARGEST_NUMBER = 2 ** 48 - 1;

/** Bytes of an encoded id: 32 of the origin, 6 of the epoch, 6 of the sequence. */
export const MESSAGE_ID_BYTES = 44;

/** Origins that are longer are no node ids of anybody. */
const LONGEST_ORIGIN = 128;

/** Is it an id, as far as its form goes? The origin may be any short text, so that simulations can name their nodes as they like. */
export function isMessageId(value: unknown): value is MessageId {
  if (typeof value !== 'object' || value === null) return false;
  const { origin, epoch, sequence } = value as Partial<MessageId>;
  return typeof origin === 'string' && origin.length > 0 && origin.length <= LONGEST_ORIGIN && isCount(epoch) && isCount(sequence);
}

/** The same text for the same id, and another for any other. Of the last lives the end that all their messages share is kept: most are of a few. */
export function messageKey({ origin, epoch, sequence }: MessageId): string {
  // (The remainder of a division would take longer than all else here.)
  const place = epoch & (kept.length - 1);
  let life = kept[place];
  if (life === undefined || life.epoch !== epoch || life.origin !== origin) kept[place] = life = { origin, epoch, end: `.${epoch}.${origin}` };
  return sequence + life.end;
}

/** By the last bits of the epoch. */
const kept: ({ readonly origin: string; readonly epoch: number; readonly end: string } | undefined)[] = new Array(64).fill(undefined);

/** 44 bytes, big-endian: sorted by origin, then by epoch, then by sequence. A TypeError if the origin is not 64 lower-case hex digits. */
export function encodeMessageId(id: MessageId): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MESSAGE_ID_BYTES);
  writeMessageId(id, bytes, 0);
  return bytes;
}

/** The same, from `at` on. */
export function writeMessageId(id: MessageId, bytes: Uint8Array, at: number): void {
  if (!isMessageId(id) || !writeName(id.origin, bytes, at)) {
    throw new TypeError('encodeMessageId: id: must have a node id, and an epoch and a sequence from 0 to 2^48 - 1');
  }
  writeNumber(bytes, at + NAME_BYTES, id.epoch);
  writeNumber(bytes, at + NAME_BYTES + 6, id.sequence);
}

/** Undefined unless it is 44 bytes. */
export function decodeMessageId(bytes: Uint8Array): MessageId | undefined {
  return bytes.length === MESSAGE_ID_BYTES ? readMessageId(bytes, 0) : undefined;
}

/** That of the 44 bytes that begin at `at`. */
export function readMessageId(bytes: Uint8Array, at: number): MessageId {
  const origin = readName(bytes, at);
  const { view, at: start } = look(bytes);
  return { origin, epoch: readNumber(view, start + at + NAME_BYTES), sequence: readNumber(view, start + at + NAME_BYTES + 6) };
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
