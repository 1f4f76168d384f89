// Protobuf for the messages of a hello. A library takes 12 kB of a web page after gzip, and accepts
// encodings that a hello must not contain.

import { encodeText } from '../short-bytes.ts';

/** The fields of a message: `fields[number]` is the name and the type of that field. */
export type Fields<T extends object> = readonly (
  | { [K in keyof T & string]: readonly [name: K, type: FieldType<T[K]>] }[keyof T & string]
  | undefined
)[];

/** How the values of a field are written and read. */
export interface FieldType<T> {
  /** Returns the value of a field that is absent. */
  empty(): T;
  /**
   * Reads one occurrence of the field. `before` is its value so far. Returns undefined, and reads
   * nothing, if the wire type is another.
   */
  read(reader: Reader, wireType: number, before: T): T | undefined;
  /** Appends one occurrence of the field, or as many as a list has values. */
  write(output: number[], number: number, value: T): void;
}

/** Decodes a message; fields that are not in the table are skipped. @throws RangeError */
export function decodeMessage<T extends object>(
  bytes: Uint8Array,
  fields: Fields<T>,
  into = emptyMessage(fields),
): T {
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.uint32();
    if (tag < 8) throw new RangeError('a field with the number 0');
    const field = fields[tag >>> 3];
    const value = field?.[1].read(reader, tag & 7, into[field[0]] as never);
    if (value === undefined) reader.skip(tag & 7);
    else into[field![0]] = value;
  }
  return into;
}

/** Encodes a message. Absent fields, 0 and what has the length 0 are left out. */
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
  read: (reader, wireType) => (wireType === 0 ? reader.uint32() : undefined),
  write(output, number, value) {
    writeVarint(output, number << 3);
    writeVarint(output, value);
  },
};

/** A list of integers: packed when written, packed or not when read. */
export const uint32s: FieldType<number[]> = {
  empty: () => [],
  read(reader, wireType, before) {
    if (wireType !== 0 && wireType !== 2) return undefined;
    if (wireType === 0) before.push(reader.uint32());
    else
      for (const packed = new Reader(reader.bytes()); !packed.isAtEnd; )
        before.push(packed.uint32());
    return before;
  },
  write(output, number, values) {
    const packed: number[] = [];
    for (const value of values) writeVarint(packed, value);
    writeBytes(output, number, packed);
  },
};

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
  return {
    empty: () => emptyMessage(fields),
    read: (reader, wireType, before) =>
      wireType === 2 ? decodeMessage(reader.bytes(), fields, before) : undefined,
    write: (output, number, value) => writeBytes(output, number, encodeMessage(value, fields)),
  };
}

/** A list of messages or texts. */
export function list<T>(type: FieldType<T>): FieldType<T[]> {
  return {
    empty: () => [],
    read(reader, wireType, before) {
      const value = type.read(reader, wireType, type.empty());
      if (value === undefined) return undefined;
      before.push(value);
      return before;
    },
    write(output, number, values) {
      for (const value of values) type.write(output, number, value);
    },
  };
}

/** A map of texts, as an object without a prototype, because a peer chooses its keys. */
export const textMap: FieldType<Record<string, string>> = {
  empty: () => Object.create(null),
  read(reader, wireType, before) {
    if (wireType !== 2) return undefined;
    const { key, value } = decodeMessage(reader.bytes(), ENTRY);
    before[key] = value;
    return before;
  },
  write(output, number, entries) {
    for (const [key, value] of Object.entries(entries)) {
      const entry: number[] = [];
      writeBytes(entry, 1, encodeText(key));
      writeBytes(entry, 2, encodeText(value));
      writeBytes(output, number, entry);
    }
  },
};

const ENTRY: Fields<{ key: string; value: string }> = [undefined, ['key', text], ['value', text]];

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

  uint32(): number {
    const value = this.#varint();
    if (value >= 0x1_0000_0000) throw new RangeError('a value of 2^32 or more');
    return value;
  }

  /** Reads bytes after their length. */
  bytes(): Uint8Array {
    return this.#take(this.uint32());
  }

  skip(wireType: number): void {
    if (wireType === 0) this.#varint();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.bytes();
    else if (wireType === 5) this.#take(4);
    else
      throw new RangeError(
        wireType < 5 ? 'a group' : `the wire type ${wireType}, which does not exist`,
      );
  }

  #varint(): number {
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

function lengthPrefixed<T extends { readonly length: number }>(
  empty: () => T,
  read: (content: Uint8Array) => T,
  write: (value: T) => ArrayLike<number>,
): FieldType<T> {
  return {
    empty,
    read: (reader, wireType) => (wireType === 2 ? read(reader.bytes()) : undefined),
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
