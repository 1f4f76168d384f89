// The wire as an attacker writes it, from docs/wire-protocol.md alone: it shares no code with core
// and checks nothing.

/** The kinds of frames. */
export const Kind = {
  hello: 1,
  ready: 2,
  goAway: 3,
  ping: 4,
  pong: 5,
  credit: 6,
  protocols: 7,
  request: 8,
  oneway: 9,
  response: 10,
  item: 11,
  part: 12,
  end: 13,
  error: 14,
  cancel: 15,
} as const;

/** A frame to write; fields that are left out, 0 or empty are not encoded. */
export interface FrameFields {
  readonly kind: number;
  readonly id?: number;
  readonly channel?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly timeout?: number;
  readonly size?: number;
  readonly credit?: number;
  readonly code?: number;
  readonly text?: string | Uint8Array;
  readonly metadata?: readonly (readonly [string, string])[];
  readonly reason?: number;
  readonly hello?: Uint8Array;
  readonly account?: number;
  readonly payload?: Uint8Array;
}

/** The fields of a received frame that attackers use. */
export interface ReadFrame {
  readonly kind: number;
  readonly id: number;
  readonly channel: number;
  readonly method: number;
  readonly credit: number;
  readonly code: number;
  readonly reason: number;
  readonly account: number;
  readonly text: string;
  readonly hello: Uint8Array;
  readonly payload: Uint8Array;
}

export const PREAMBLE: Uint8Array = Uint8Array.of(0x54, 0x52, 0x4b, 0x4c);

/** Encodes an unsigned varint, padded with over-long groups to at least `width` bytes. */
export function varint(value: number, width = 1): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80 || bytes.length < width - 1) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** Encodes a protobuf field of wire type 0. */
export function number(field: number, value: number): Uint8Array {
  return value === 0 ? NOTHING : concat(varint(field << 3), varint(value));
}

/** Encodes a protobuf field of wire type 2. */
export function block(field: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? text(value) : value;
  return bytes.length === 0
    ? NOTHING
    : concat(varint((field << 3) | 2), varint(bytes.length), bytes);
}

/** Prefixes `body` with its length. */
export function delimited(body: Uint8Array): Uint8Array {
  return concat(varint(body.length), body);
}

/** Encodes a frame with its length. */
export function frame(fields: FrameFields): Uint8Array {
  const {
    kind,
    id = 0,
    channel = 0,
    method = 0,
    flags = 0,
    timeout = 0,
    size = 0,
    credit = 0,
    code = 0,
    reason = 0,
    account = 0,
  } = fields;
  const entries = (fields.metadata ?? []).map(([key, value]) =>
    block(11, concat(block(1, key), block(2, value))),
  );
  return delimited(
    concat(
      number(1, kind),
      id === 0
        ? NOTHING
        : Uint8Array.of(0x15, id & 255, (id >>> 8) & 255, (id >>> 16) & 255, id >>> 24),
      number(3, channel),
      number(4, method),
      number(5, flags),
      number(6, timeout),
      number(7, size),
      number(8, credit),
      number(9, code),
      block(10, fields.text ?? ''),
      ...entries,
      number(12, reason),
      block(13, fields.hello ?? NOTHING),
      number(14, account),
      block(15, fields.payload ?? NOTHING),
    ),
  );
}

/** The fields of a hello; `raw` is appended unchanged. */
export interface HelloFields {
  readonly wire?: number;
  readonly instance?: Uint8Array;
  readonly network?: string;
  readonly addr?: string;
  readonly agent?: string;
  readonly nodeId?: string;
  readonly protocols?: readonly {
    readonly name: string;
    readonly version: number;
    readonly channel: number;
  }[];
  readonly packet?: number;
  /** The value of each of `message`, `pipe`, `short`, `long`, `reply` and `stream`. */
  readonly window?: number;
  readonly raw?: Uint8Array;
}

export function hello(fields: HelloFields): Uint8Array {
  const {
    wire = 1,
    network = 'default',
    addr = '',
    agent = 'hostile',
    nodeId = '',
    protocols = [],
    packet = 65_536,
    window = 0x4000_0000,
  } = fields;
  const listed = protocols.map(({ name, version, channel }) =>
    block(8, concat(block(1, name), number(2, version), number(4, channel))),
  );
  const limits = [window, 1_048_576, packet, window, window, window, 4_096, 128].map((value, at) =>
    number(at + 1, value),
  );
  return concat(
    number(1, wire),
    number(2, wire),
    block(3, fields.instance ?? freshInstance()),
    block(4, network),
    block(5, addr),
    block(6, agent),
    block(7, nodeId),
    ...listed,
    block(9, concat(...limits)),
    fields.raw ?? NOTHING,
  );
}

/** Cuts a stream of bytes into frames and decodes them. */
export class FrameReader {
  #rest: Uint8Array = NOTHING;

  push(chunk: Uint8Array): ReadFrame[] {
    const bytes = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk);
    const frames: ReadFrame[] = [];
    let at = 0;
    for (;;) {
      const head = readVarint(bytes, at);
      if (head === undefined || bytes.length < head.next + head.value) break;
      at = head.next + head.value;
      frames.push(readFrame(bytes.subarray(head.next, at)));
    }
    this.#rest = bytes.slice(at);
    return frames;
  }
}

/** Returns the node id in a hello. */
export function nodeIdIn(bytes: Uint8Array): string {
  return decoder.decode(fieldsOf(bytes).blocks[7]!);
}

function readFrame(body: Uint8Array): ReadFrame {
  const { numbers, blocks } = fieldsOf(body);
  return framed(numbers, blocks);
}

/** Decodes fields up to number 15; higher ones are skipped. */
function fieldsOf(body: Uint8Array): { readonly numbers: number[]; readonly blocks: Uint8Array[] } {
  const numbers = new Array<number>(16).fill(0);
  const blocks = new Array<Uint8Array>(16).fill(NOTHING);
  for (let at = 0; at < body.length; ) {
    const tag = readVarint(body, at)!;
    const field = tag.value >>> 3;
    if ((tag.value & 7) === 5) {
      numbers[field] = new DataView(body.buffer, body.byteOffset + tag.next, 4).getUint32(0, true);
      at = tag.next + 4;
      continue;
    }
    const { value, next } = readVarint(body, tag.next)!;
    if ((tag.value & 7) === 0) numbers[field] = value;
    else blocks[field] = body.subarray(next, next + value);
    at = (tag.value & 7) === 0 ? next : next + value;
  }
  return { numbers, blocks };
}

function framed(numbers: readonly number[], blocks: readonly Uint8Array[]): ReadFrame {
  return {
    kind: numbers[1]!,
    id: numbers[2]!,
    channel: numbers[3]!,
    method: numbers[4]!,
    credit: numbers[8]!,
    code: numbers[9]!,
    reason: numbers[12]!,
    account: numbers[14]!,
    text: decoder.decode(blocks[10]!),
    hello: blocks[13]!,
    payload: blocks[15]!,
  };
}

function readVarint(bytes: Uint8Array, from: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length; at++, scale *= 0x80) {
    value += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! < 0x80) return { value, next: at + 1 };
  }
  return undefined;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Repeats `part` `times` times in one piece of memory. */
export function repeat(part: Uint8Array, times: number): Uint8Array {
  const whole = new Uint8Array(part.length * times);
  for (let at = 0; at < whole.length; at += part.length) whole.set(part, at);
  return whole;
}

export function text(value: string): Uint8Array {
  return encoder.encode(value);
}

/** Returns 16 bytes that no other hello of this process has. */
function freshInstance(): Uint8Array {
  const bytes = new Uint8Array(16).fill(0x66);
  new DataView(bytes.buffer).setFloat64(0, performance.now() + performance.timeOrigin);
  new DataView(bytes.buffer).setUint32(8, ++instances);
  return bytes;
}

let instances = 0;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NOTHING = new Uint8Array(0);
