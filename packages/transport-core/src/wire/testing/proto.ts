// A reference implementation of frame.proto by protobufjs' reflection. It shares no code with the
// encoder and the decoder, which tests compare with it.

import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { Frame } from '../frame.ts';

export const protoFile = new URL('../../../src/wire/frame.proto', import.meta.url);

const { root } = protobuf.parse(readFileSync(protoFile, 'utf8'), { keepCase: false });
export const FrameType = root.lookupType('trunkline.Frame');
export const HelloType = root.lookupType('trunkline.Hello');

/** A frame as plain data: absent fields are left out, bytes are hex. */
export type PlainFrame = { [field: string]: number | string | Record<string, string> };

/** Converts a frame from Trunkline's decoder to plain data. */
export function plainFrame(frame: Frame): PlainFrame {
  const plain: PlainFrame = {};
  for (const field of FrameType.fieldsArray) {
    const value = (frame as unknown as Record<string, unknown>)[field.name];
    if (value instanceof Uint8Array) {
      if (value.length > 0) plain[field.name] = hex(value);
    } else if (typeof value === 'object' && value !== null)
      plain[field.name] = { ...(value as Record<string, string>) };
    else if (value !== undefined && value !== 0 && value !== '')
      plain[field.name] = value as number | string;
  }
  return plain;
}

/** Decodes the bytes of one frame (without its length) with protobufjs, to plain data. */
export function readByProto(bytes: Uint8Array): PlainFrame {
  const object = FrameType.toObject(FrameType.decode(bytes)) as Record<string, unknown>;
  const plain: PlainFrame = {};
  for (const [name, value] of Object.entries(object)) {
    plain[name] =
      value instanceof Uint8Array
        ? hex(value)
        : (value as number | string | Record<string, string>);
  }
  return plain;
}

/** Encodes a frame with protobufjs, without its length. */
export function writtenByProto(plain: PlainFrame): Uint8Array {
  const message = { ...plain } as Record<string, unknown>;
  for (const name of ['payload', 'hello'])
    if (typeof message[name] === 'string') message[name] = bytesOf(message[name]);
  return new Uint8Array(FrameType.encode(message).finish());
}

/**
 * Returns bytes preceded by their length, a varint of at least `width` bytes (by default the
 * shortest).
 */
export function framed(bytes: Uint8Array, width = 0): Uint8Array {
  const prefix: number[] = [];
  let length = bytes.length;
  do {
    prefix.push((length & 0x7f) | 0x80);
    length >>>= 7;
  } while (length > 0 || prefix.length < width);
  prefix[prefix.length - 1]! &= 0x7f;
  return joined([new Uint8Array(prefix), bytes]);
}

/** Splits a batch into its frames. */
export function split(batch: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < batch.length; ) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = batch[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    frames.push(batch.subarray(at, at + length));
    at += length;
  }
  return frames;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Converts hex digits to bytes; spaces between them are ignored. */
export function bytesOf(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits.replaceAll(/\s/g, ''), 'hex'));
}
