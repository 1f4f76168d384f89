// Headers of messages, and random frames of every kind, from a seed.

import type { Random } from '../../random.ts';
import { randomBytes } from '../../random.ts';
import { FrameEncoder, type FrameWriter, type MessageHeader } from '../encoder.ts';
import { EMPTY, type EncodedMetadata, Frame } from '../frame.ts';
import { hex, type PlainFrame } from './proto.ts';

/** The fields of a message; omitted fields are absent. */
export interface MessageFields extends Partial<MessageHeader> {
  readonly kind?: number;
  readonly id?: number;
  readonly metadata?: EncodedMetadata | undefined;
}

/** Writes a message with payload[start … end), by default all of it. */
export function writeMessage(
  writer: FrameWriter,
  { kind = 0, id = 0, metadata, ...header }: MessageFields,
  payload: Uint8Array = EMPTY,
  start = 0,
  end: number = payload.length,
): void {
  Object.assign(writer.begin(kind, id), header);
  writer.message(payload, start, end, metadata, true);
}

/** Returns the bytes that `write` writes. */
export function encoded(write: (encoder: FrameEncoder) => void): Uint8Array {
  const encoder = new FrameEncoder((size) => new Uint8Array(size));
  write(encoder);
  return encoder.take().slice();
}

/** Returns a frame with this payload. */
export function frameOf(fields: Partial<Frame>, payload: Uint8Array): Frame {
  return Object.assign(new Frame(), fields, { payload });
}

/**
 * Returns a frame of a random kind with random fields of that kind, with small and large values.
 */
export function randomFrame(random: Random): PlainFrame {
  const kind = 1 + Math.floor(random() * 15);
  const frame: PlainFrame = { kind };
  for (const field of FIELDS[kind]!) {
    if (random() < 0.2) continue;
    const value = VALUES[field]!(random, kind);
    if (value !== 0 && value !== '') frame[field] = value;
  }
  return frame;
}

/** Returns a random integer below 2^32, with any number of bits. */
export function randomUint(random: Random): number {
  return Math.floor(random() * 2 ** Math.floor(random() * 33));
}

export function randomText(random: Random, length: number): string {
  let text = '';
  while (text.length < length) text += CHARACTERS[Math.floor(random() * CHARACTERS.length)];
  return text;
}

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items];
  const result: T[] = [];
  while (rest.length > 0) result.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return result;
}

const CHARACTERS = ['a', 'Z', '0', ' ', '\0', 'é', '₂', '\ufeff', '😀'];

const FIELDS: Record<number, string[]> = {
  1: ['hello'],
  2: [],
  3: ['code', 'text', 'reason'],
  4: ['id'],
  5: ['id'],
  6: ['id', 'channel', 'size', 'credit', 'account'],
  7: ['hello'],
  8: ['id', 'channel', 'method', 'flags', 'timeout', 'size', 'metadata', 'payload'],
  9: ['id', 'channel', 'method', 'size', 'metadata', 'payload'],
  10: ['id', 'size', 'payload'],
  11: ['id', 'size', 'payload'],
  12: ['id', 'payload'],
  13: ['id'],
  14: ['id', 'flags', 'code', 'text', 'metadata', 'reason'],
  15: ['id'],
};

const bytes = (random: Random) =>
  hex(randomBytes(random, Math.floor(random() * (random() < 0.1 ? 20_000 : 200))));

const VALUES: Record<
  string,
  (random: Random, kind: number) => number | string | Record<string, string>
> = {
  id: randomUint,
  channel: (random) => Math.floor(random() * 256),
  method: randomUint,
  flags: (random, kind) => Math.floor(random() * (kind === 8 ? 4 : 2)),
  timeout: randomUint,
  size: randomUint,
  credit: randomUint,
  code: randomUint,
  reason: randomUint,
  account: randomUint,
  text: (random) => randomText(random, Math.floor(random() * 300)),
  metadata: (random) => {
    const record: Record<string, string> = {};
    for (let i = Math.floor(random() * 4); i >= 0; i--)
      record[randomText(random, Math.floor(random() * 20))] = randomText(
        random,
        Math.floor(random() * 100),
      );
    return record;
  },
  hello: bytes,
  payload: bytes,
};
