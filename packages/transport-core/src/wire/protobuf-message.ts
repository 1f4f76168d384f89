// Protobuf for the messages of a hello. A library takes 12 kB of a web page after gzip, and accepts
// encodings that a hello must not contain. Only hello.ts uses it, and bounds the size of what is
// read; hello.test.ts tests it.

import { encodeText } from '../short-bytes.ts';

/** The fields of a message: `fields[number]` is the name and the type of that field. */
export type Fields<T extends object> = readonly (
  | { [K in keyof T & string]: readonly [name: K, type: FieldType<T[K]>] }[keyof T & string]
  | undefined
)[];

/** How the values of a field are written and read. */
export interface FieldType<T> {
  /** Returns the value of an absent field: a new one each time, because `read` may change it. */
  empty(): T;
  /**
   * Returns the value after one occurrence of the field, where `before` is the value before it. If
   * the occurrence has another wire type, it is ignored: returns undefined or `before`.
   */
  read(content: Content, before: T): T | undefined;
  /** Appends one occurrence of the field, or as many as a list has values. */
  write(output: number[], number: number, value: T): void;
}

/** The content of a field: a varint, or bytes after their length; undefined for other types. */
type Content = number | Uint8Array | undefined;

/**
 * Decodes a message. Fields that are not in the table, or have another wire type, are skipped.
 *
 * @param into the message to which the fields are added; by default an empty one.
 * @throws RangeError for bytes that are no message, and TypeError for a text that is not UTF-8.
 */
export function decodeMessage<T extends object>(
  bytes: Uint8Array,
  fields: Fields<T>,
  into = emptyMessage(fields),
): T {
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = uint32Of(reader.varint());
    if (tag < 8) throw new RangeError('a field with the number 0');
    const content = reader.content(tag & 7);
    const field = fields[tag >>> 3];
    const value = field?.[1].read(content, into[field[0]] as never);
    if (value !== undefined) into[field![0]] = value;
  }
  return into;
}

/**
 * Encodes a message. Leaves out absent fields, 0, and texts, bytes and lists without content.
 * Integers must be below 2^32; the higher bits are lost.
 */
export function encodeMessage<T extends object>(message: Partial<T>, fields: Fields<T>): number[] {
  const output: number[] = [];
  for (const [number, field] of fields.entries()) {
    const value = field && message[field[0]];
    if (value === undefined || value === 0 || (value as { length?: number }).length === 0) continue;
    field![1].write(output, number, value as never);
  }
  return output;
}

export const uint32: FieldType<number> = {
  empty: () => 0,
  read: (content) => (typeof content === 'number' ? uint32Of(content) : undefined),
  write(output, number, value) {
    writeVarint(output, number << 3);
    writeVarint(output, value);
  },
};

/** A list of integers: packed when written, packed or not when read. */
export const uint32s: FieldType<number[]> = {
  empty: () => [],
  read(content, before) {
    if (typeof content === 'number') before.push(uint32Of(content));
    if (typeof content === 'object')
      for (const packed = new Reader(content); !packed.isAtEnd; )
        before.push(uint32Of(packed.varint()));
    return before;
  },
  write(output, number, values) {
    const packed: number[] = [];
    for (const value of values) writeVarint(packed, value);
    writeBytes(output, number, packed);
  },
};

/** Bytes. A value that was read is a view of the bytes of the message. */
export const bytes = lengthPrefixed<Uint8Array>(
  () => new Uint8Array(0),
  (content) => content,
  (value) => value,
);

export const text = lengthPrefixed<string>(
  () => '',
  (content) => decoder.decode(content),
  encodeText,
);

/** A message; several occurrences are merged. */
export function message<T extends object>(fields: Fields<T>): FieldType<T> {
  return lengthPrefixed<T>(
    () => emptyMessage(fields),
    (content, before) => decodeMessage(content, fields, before),
    (value) => encodeMessage(value, fields),
  );
}

/** A list of messages or texts. */
export function list<T>(type: FieldType<T>): FieldType<T[]> {
  return {
    empty: () => [],
    read(content, before) {
      const value = type.read(content, type.empty());
      if (value !== undefined) before.push(value);
      return before;
    },
    write(output, number, values) {
      for (const value of values) type.write(output, number, value);
    },
  };
}

/** Reads untrusted bytes. It throws a RangeError that describes the problem. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  content(wireType: number): Content {
    if (wireType === 0) return this.varint();
    if (wireType === 2) return this.#take(uint32Of(this.varint()));
    if (wireType === 1) return void this.#take(8);
    if (wireType === 5) return void this.#take(4);
    throw new RangeError(
      wireType < 5 ? 'a group' : `the wire type ${wireType}, which does not exist`,
    );
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 0x80) {
      if (this.isAtEnd) this.#take(1);
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a varint of more than ten bytes');
  }

  #take(size: number): Uint8Array {
    const end = this.#at + size;
    if (end > this.#bytes.length)
      throw new RangeError(
        `it ends within a field: ${end} bytes are declared, ${this.#bytes.length} are present`,
      );
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function uint32Of(value: number): number {
  if (value >= 0x1_0000_0000) throw new RangeError('a value of 2^32 or more');
  return value;
}

function lengthPrefixed<T>(
  empty: () => T,
  read: (content: Uint8Array, before: T) => T,
  write: (value: T) => ArrayLike<number>,
): FieldType<T> {
  return {
    empty,
    read: (content, before) => (typeof content === 'object' ? read(content, before) : undefined),
    write: (output, number, value) => writeBytes(output, number, write(value)),
  };
}

function emptyMessage<T extends object>(fields: Fields<T>): T {
  const made = {} as T;
  for (const field of fields) if (field !== undefined) made[field[0]] = field[1].empty() as never;
  return made;
}

function writeBytes(output: number[], number: number, content: ArrayLike<number>): void {
  writeVarint(output, (number << 3) | 2);
  writeVarint(output, content.length);
  for (let i = 0; i < content.length; i++) output.push(content[i]!);
}

function writeVarint(output: number[], value: number): void {
  for (value >>>= 0; value > 0x7f; value >>>= 7) output.push((value & 0x7f) | 0x80);
  output.push(value);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
