// Encodes and decodes frames independently, with protobufjs' reflection over frame.proto and a
// varint before each frame. This file uses nothing from Trunkline's core, so that a mistake in core
// can't be hidden by the same mistake here.

import protobuf from 'protobufjs';
import { FRAME_PROTO } from './frame-proto.ts';

/** The kinds of frames by name, with their numbers on the wire (docs/wire-protocol.md §2). */
export const RAW_KINDS = {
  HELLO: 1,
  READY: 2,
  GO_AWAY: 3,
  PING: 4,
  PONG: 5,
  CREDIT: 6,
  PROTOCOLS: 7,
  REQUEST: 8,
  ONEWAY: 9,
  RESPONSE: 10,
  ITEM: 11,
  PART: 12,
  END: 13,
  ERROR: 14,
  CANCEL: 15,
} as const;

/** The name of a kind of frame. */
export type RawKind = keyof typeof RAW_KINDS;

/**
 * A decoded frame; absent fields are 0, '' or empty. `kind` is the name, or the number if it has no
 * name.
 */
export interface RawFrame {
  kind: RawKind | number;
  id: number;
  channel: number;
  method: number;
  flags: number;
  timeout: number;
  size: number;
  credit: number;
  code: number;
  text: string;
  metadata: Record<string, string>;
  reason: number;
  hello: RawHello | undefined;
  account: number;
  payload: Uint8Array;
}

/** A frame to send; omitted fields are also absent on the wire. */
export type RawFrameInput = Partial<Omit<RawFrame, 'hello'>> & {
  kind: RawKind | number;
  hello?: Partial<RawHello> | Uint8Array | undefined;
};

/** The hello, as in frame.proto. */
export interface RawHello {
  wireMin: number;
  wireMax: number;
  instance: Uint8Array;
  network: string;
  addr: string;
  agent: string;
  nodeId: string;
  protocols: RawProtocol[];
  limits: Partial<RawLimits> | undefined;
  features: string[];
  observed: string;
  fields: Record<string, string>;
}

export interface RawProtocol {
  name: string;
  version: number;
  accepts: number[];
  channel: number;
}

export interface RawLimits {
  message: number;
  item: number;
  packet: number;
  pipe: number;
  inbox: number;
  stream: number;
  calls: number;
  streams: number;
}

const root = protobuf.parse(FRAME_PROTO).root;
const FrameType = root.lookupType('Frame');
const HelloType = root.lookupType('Hello');

/** Returns the bytes of one Frame message, without its length. */
export function encodeBody(frame: RawFrameInput): Uint8Array {
  const { kind, metadata, hello, ...rest } = frame;
  const message: Record<string, unknown> = { ...rest, kind: kindNumber(kind) };
  if (metadata !== undefined) message['metadata'] = metadata;
  if (hello !== undefined)
    message['hello'] = hello instanceof Uint8Array ? hello : encodeHello(hello);
  return plain(FrameType.encode(FrameType.create(message)).finish());
}

/** Returns a frame as it crosses the wire: varint length, then the message. */
export function encodeRawFrame(frame: RawFrameInput): Uint8Array {
  return delimited(encodeBody(frame));
}

/**
 * Returns `body` preceded by its length, in the shortest varint or in one of `width` bytes
 * (over-long forms are legal up to 4).
 */
export function delimited(body: Uint8Array, width = 0): Uint8Array {
  return concat([varint(body.length, width), body]);
}

/** Returns an unsigned varint of at least `width` bytes. */
export function varint(value: number, width = 0): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80 || bytes.length < width - 1) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/**
 * Encodes one field of a message by hand, for bytes that no protobuf library would write. `wire` is
 * its wire type.
 */
export function field(
  number: number,
  wire: number,
  ...content: (Uint8Array | number[])[]
): Uint8Array {
  return concat([varint(number * 8 + wire), ...content]);
}

export function concat(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Decodes the bytes of one Frame message. Throws if they, or the hello in them, are malformed. The
 * payload is a view of `body`.
 */
export function decodeBody(body: Uint8Array): RawFrame {
  const decoded = FrameType.toObject(FrameType.decode(body), {
    defaults: true,
    objects: true,
  }) as Record<string, unknown>;
  const hello = decoded['hello'] as Uint8Array;
  return {
    kind: kindName(decoded['kind'] as number),
    id: decoded['id'] as number,
    channel: decoded['channel'] as number,
    method: decoded['method'] as number,
    flags: decoded['flags'] as number,
    timeout: decoded['timeout'] as number,
    size: decoded['size'] as number,
    credit: decoded['credit'] as number,
    code: decoded['code'] as number,
    text: decoded['text'] as string,
    metadata: (decoded['metadata'] ?? {}) as Record<string, string>,
    reason: decoded['reason'] as number,
    hello: hello.length === 0 ? undefined : decodeHello(hello),
    account: decoded['account'] as number,
    payload: plain(decoded['payload'] as Uint8Array),
  };
}

/** Returns the bytes of a Hello message. */
export function encodeHello(hello: Partial<RawHello>): Uint8Array {
  return plain(HelloType.encode(HelloType.create(hello as Record<string, unknown>)).finish());
}

/** Decodes the Hello in a frame's field 13. */
export function decodeHello(bytes: Uint8Array): RawHello {
  const hello = HelloType.toObject(HelloType.decode(bytes), {
    defaults: true,
    arrays: true,
    objects: true,
  }) as RawHello;
  return { ...hello, instance: plain(hello.instance) };
}

/** Cuts a stream of bytes into the bodies of frames. */
export class RawSplitter {
  #rest: Uint8Array = new Uint8Array(0);

  /**
   * Takes a chunk, and returns the bodies that are complete now, as views of it. Throws if a length
   * has more than 4 bytes.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    let bytes = this.#rest.length === 0 ? chunk : concat([this.#rest, chunk]);
    const bodies: Uint8Array[] = [];
    for (;;) {
      const head = readLength(bytes);
      if (head === undefined || bytes.length < head.start + head.length) break;
      bodies.push(bytes.subarray(head.start, head.start + head.length));
      bytes = bytes.subarray(head.start + head.length);
    }
    this.#rest = bytes;
    return bodies;
  }

  /** The number of buffered bytes of an incomplete frame. */
  get waiting(): number {
    return this.#rest.length;
  }
}

function readLength(bytes: Uint8Array): { start: number; length: number } | undefined {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[i];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { start: i + 1, length };
  }
  throw new Error('a length of more than 4 bytes');
}

function kindNumber(kind: RawKind | number): number {
  return typeof kind === 'number' ? kind : RAW_KINDS[kind];
}

function kindName(number: number): RawKind | number {
  return kindNames.get(number) ?? number;
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const kindNames = new Map(
  Object.entries(RAW_KINDS).map(([name, number]) => [number as number, name as RawKind]),
);
