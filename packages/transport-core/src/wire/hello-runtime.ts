// A minimal replacement for protobufjs/minimal, for the generated code in hello.js. That library
// also reads 64-bit integers, floats and groups, takes 12 kB of a web page after gzip, and accepts
// encodings that a hello must not contain.

/**
 * Reads untrusted bytes. It throws an error that describes the problem, and never reads beyond
 * `len`.
 */
export class Reader {
  static readonly create = (bytes: Uint8Array): Reader => new Reader(bytes);
  static readonly recursionLimit = 100;

  readonly discardUnknown = true;
  readonly #bytes: Uint8Array;
  pos = 0;
  /**
   * The end of the message being read. The generated code sets it to the end of a nested message,
   * and then back.
   */
  len: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.len = bytes.length;
  }

  tag(): number {
    const tag = this.uint32();
    if (tag < 8) throw new RangeError('a field with the number 0');
    return tag;
  }

  uint32(): number {
    const value = this.#varint();
    if (value >= 0x1_0000_0000) throw new RangeError('a value of 2^32 or more');
    return value;
  }

  size(): number {
    return this.uint32();
  }

  uint32s(values: number[]): void {
    const { len } = this;
    this.len = this.#after(this.size());
    while (this.pos < this.len) values.push(this.uint32());
    this.len = len;
  }

  bytes(): Uint8Array {
    const end = this.#after(this.size());
    const bytes = this.#bytes.subarray(this.pos, end);
    this.pos = end;
    return bytes;
  }

  stringVerify(): string {
    return decoder.decode(this.bytes());
  }

  skipType(wireType: number): void {
    if (wireType === 0) this.#varint();
    else if (wireType === 1) this.pos = this.#after(8);
    else if (wireType === 2) this.pos = this.#after(this.size());
    else if (wireType === 5) this.pos = this.#after(4);
    else
      throw new RangeError(
        wireType < 5 ? 'a group' : `the wire type ${wireType}, which does not exist`,
      );
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 0x80) {
      const byte = this.#bytes[this.#after(1) - 1]!;
      this.pos++;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a varint of more than ten bytes');
  }

  #after(size: number): number {
    const end = this.pos + size;
    if (end > this.len)
      throw new RangeError(
        `it ends within a field: ${end} bytes are declared, ${this.len} are present`,
      );
    return end;
  }
}

/**
 * Writes this node's hello. A nested message has its own writer, because its length precedes it.
 */
export class Writer {
  static readonly create = (): Writer => new Writer();

  readonly #bytes: number[] = [];
  readonly #parent: Writer | undefined;

  constructor(parent?: Writer) {
    this.#parent = parent;
  }

  uint32(value: number): this {
    for (value >>>= 0; value > 0x7f; value >>>= 7) this.#bytes.push((value & 0x7f) | 0x80);
    this.#bytes.push(value);
    return this;
  }

  uint32s(values: readonly number[]): this {
    const inner = this.fork();
    for (const value of values) inner.uint32(value);
    inner.ldelim();
    return this;
  }

  bytes(bytes: ArrayLike<number>): this {
    this.uint32(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#bytes.push(bytes[i]!);
    return this;
  }

  string(text: string): this {
    return this.bytes(encoder.encode(text));
  }

  fork(): Writer {
    return new Writer(this);
  }

  ldelim(): Writer {
    return this.#parent!.bytes(this.#bytes);
  }

  finish(): Uint8Array {
    return new Uint8Array(this.#bytes);
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

const util = {
  global: { Object, Error, RangeError, undefined },
  recursionLimit: Reader.recursionLimit,
  emptyArray: Object.freeze([]),
  emptyObject: Object.freeze({}),
  newBuffer: (bytes: number[]): Uint8Array => new Uint8Array(bytes),
  /** Defines an own property, whatever its name: a peer chooses the keys of `fields`. */
  makeProp: (target: object, key: string): void => {
    Object.defineProperty(target, key, { enumerable: true, configurable: true, writable: true });
  },
};

export default { Reader, Writer, util, roots: {} as Record<string, object> };
