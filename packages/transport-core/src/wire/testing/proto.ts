// frame.proto as protobufjs' reflection reads it, which shares no code with the encoder and the decoder: what they are held to.

import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { Frame } from '../frame.ts';

export const protoFile = new URL('../../../src/wire/frame.proto', import.meta.url);

const { root } = protobuf.parse(readFileSync(protoFile, 'utf8'), { keepCase: false });
export const FrameType = root.lookupType('trunkline.Frame');
export const HelloType = root.lookupType('trunkline.Hello');

/** A frame as plain data: absent fields are left out, bytes are hex. */
export type PlainFrame = { [field: string]: number | string | Record<string, string> };

/** What our decoder gave, as plain data. */
export function plainFrame(frame: Frame): PlainFrame {
  const plain: PlainFrame = {};
  for (const field of FrameType.fieldsArray) {
    const value = (frame as unknown as Record<string, unknown>)[field.name];
    if (value instanceof Uint8Array) {
      if (value.length > 0) plain[field.name] = hex(value);
    } else if (typeof value === 'object' && value !== null) plain[field.name] = { ...(value as Record<string, string>) };
    else if (value !== undefined && value !== 0 && value !== '') plain[field.name] = value as number | string;
  }
  return plain;
}

/** What protobufjs reads in the bytes of one frame (without its length), as plain data. */
export function readByProto(bytes: Uint8Array): PlainFrame {
  const object = FrameType.toObject(FrameType.decode(bytes)) as Record<string, unknown>;
  const plain: PlainFrame = {};
  for (const [name, value] of Object.entries(object)) {
    plain[name] = value instanceof Uint8Array ? hex(value) : (value as number | string | Record<string, string>);
  }
  return plain;
}

/** The bytes of a frame as protobufjs writes them, without their length. */
export function writtenByProto(plain: PlainFrame): Uint8Array {
  const message = { ...plain } as Record<string, unknown>;
  for (const name of ['payload', 'hello']) if (typeof message[name] === 'string') message[name] = bytesOf(message[name]);
  return new Uint8Array(FrameType.encode(message).finish());
}

/** Bytes behind their length, in a varint of `width` bytes (the shortest where none is given). */
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

/** The bytes of hex digits; blanks between them mean nothing. */
export function bytesOf(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits.replaceAll(/\s/g, ''), 'hex'));
}
