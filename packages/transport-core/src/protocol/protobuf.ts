// The protobuf codec, for types that protobufjs made. Tested in protobuf.test.ts.

import { optionsSchema, parseOptions } from '../config.ts';
import { TransportError, traceDepth } from '../errors.ts';
import { errorText, hasLoneSurrogate, plain, quote } from '../text.ts';
import { type Codec, kindOf, limitOptions, oversize, refusal } from './codec.ts';

/**
 * A reflection `Type` of protobufjs. TypeScript can't know the decoded type, so name it:
 * `protobuf<Append>(type)`.
 */
export type ReflectionType = ProtobufType<{ [member: string]: any }>;

/**
 * The part of a protobufjs type that the codec uses: a reflection `Type` or a class of its static
 * code. This package does not import protobufjs.
 */
export interface ProtobufType<Out> {
  encode(message: any, writer?: any): { finish(): Uint8Array };
  decode(reader: any): Out;
  verify?(message: { [name: string]: any }): string | null;
}

/**
 * Limits on one message of `protobuf`. Both ends refuse a message above them with
 * `resource_exhausted` (reason `too_large`). Use the same limits at both ends. The defaults keep
 * one message from blocking its receiver for more than 100 ms.
 */
export interface ProtobufOptions {
  /** Maximum size of the message in bytes. Default 8 MiB. */
  readonly limit?: number | undefined;
  /**
   * Maximum number of values: fields of the type, including those of nested messages, and elements
   * of packed lists. A nested message or an entry of a map counts as three values more, from
   * protobufjs 8.8.1 on. In a packed list, each 64-bit integer and each enum of proto2 counts as
   * one value, and any eight other numbers together count as one, as do 32 unknown fields. Default
   * 32,768, as for `json`. The limit exists because empty fields take far more memory than their
   * encoded bytes.
   */
  readonly values?: number | undefined;
}

/**
 * Returns a codec for protobuf with protobufjs 8, from a reflection type (name it:
 * `protobuf<Append>(type)`) or a static class.
 *
 * `encode` takes plain objects and message instances and converts nothing: enums are numbers, bytes
 * are Uint8Arrays, and 64-bit integers are `Long`s or numbers up to 2^53 − 1. It throws
 * `invalid_argument`, naming the field, for values that `verify` refuses and for values that would
 * arrive changed: integers out of range, lone surrogates. Members that the type does not know are
 * not sent.
 *
 * `decode` returns protobufjs' message: 64-bit integers are `Long`s, absent members have their
 * defaults, and unknown fields are dropped. It throws `invalid_argument` for bytes that end within
 * a field or are not a message of the type, for text that is not UTF-8, and for more than 100
 * levels of nesting. NaN, ±Infinity and −0 of floats and doubles are preserved.
 *
 * A message above `options.limit` or `options.values` is refused with `resource_exhausted` (reason
 * `too_large`), by its sender and also by its receiver.
 *
 * @throws TypeError for an object that is not such a type or class, and for an invalid option.
 */
export function protobuf<Out, In = Out>(
  type: ProtobufType<Out> | ReflectionType,
  options: ProtobufOptions = {},
): Codec<Out, In> {
  if (typeof type?.encode !== 'function' || typeof type.decode !== 'function')
    throw new TypeError(
      "protobuf: expected a protobufjs type, such as root.lookupType('raft.Append'), or a generated static class",
    );
  const { limit, values } = parseOptions(LIMITS, options, 'protobuf');
  const name = `protobuf(${nameOf(type)})`;
  const open = strictReader(type, values);
  const write = strictEncode(type);
  const tooLong = (length: number) =>
    oversize(name, `has ${length} bytes, above the limit of ${limit}`, 'protobuf(type, { limit })');
  const tooMany = `has more values than the limit of ${values}`;
  const translate = (error: unknown, otherwise: string): unknown => {
    if (error instanceof TransportError) return error;
    if (error instanceof TooManyValues)
      return oversize(name, tooMany, 'protobuf(type, { values })');
    return refusal(name, '', `${otherwise}: ${quote(errorText(error), 200)}`, error);
  };
  return Object.freeze({
    name,
    limit,
    schema: type,
    owned: true,
    encode(value: In): Uint8Array {
      if (typeof value !== 'object' || value === null)
        throw refusal(name, '', `expected a message, got ${kindOf(value)}`);
      try {
        const problem = type.verify?.(value);
        if (typeof problem === 'string') throw refusal(name, ...split(problem));
        const bytes = write(value);
        if (bytes.length > limit) throw tooLong(bytes.length);
        // A byte holds at most two values. Only a reader can count them.
        if (bytes.length * VALUES_PER_BYTE > values) type.decode(open(bytes));
        return bytes;
      } catch (error) {
        throw translate(error, "can't be encoded");
      }
    },
    /**
     * Decodes a message. Errors get no stack trace, because a peer can cause them as often as it
     * likes.
     */
    decode(bytes: Uint8Array): Out {
      const depth = traceDepth(0);
      try {
        if (bytes.length > limit) throw tooLong(bytes.length);
        return type.decode(open(bytes)) as Out;
      } catch (error) {
        throw translate(error, 'is not a message of this type');
      } finally {
        traceDepth(depth);
      }
    },
  });
}

const LIMIT = 8 * 1024 * 1024;
const VALUES = 32_768;
/**
 * The values that a nested message counts in addition to its field. An empty one takes up to 600
 * bytes and 0.8 µs.
 */
const NESTED = 3;
/** An empty nested message counts as four values, and takes two bytes. */
const VALUES_PER_BYTE = 2;
const LIMITS = optionsSchema(limitOptions(LIMIT, VALUES));

/** Splits protobufjs' 'entries.term: integer expected' into path and problem. */
function split(problem: string): [path: string, problem: string] {
  const colon = problem.indexOf(': ');
  return colon < 0 ? ['', problem] : [`.${problem.slice(0, colon)}`, problem.slice(colon + 2)];
}

/**
 * Returns a type's name, such as 'raft.Append': a reflection type's full name, a static class's
 * type URL, or otherwise the class's own name.
 */
function nameOf(type: object): string {
  const { fullName, getTypeUrl, name } = type as Record<string, unknown>;
  if (typeof fullName === 'string') return fullName.replace(/^\./, '');
  if (typeof getTypeUrl === 'function') return String(getTypeUrl.call(type, '')).replace(/^\//, '');
  return typeof name === 'string' ? name : 'message';
}

// Strict variants of protobufjs' reader and writer, which refuse bad bytes from peers and bad
// values from callers. They are derived from the classes that a type uses, so that protobufjs is
// not imported.

/** The part of protobufjs' Reader that is used here. */
interface ProtobufReader {
  discardUnknown: boolean;
  readonly buf: Uint8Array;
  pos: number;
  readonly len: number;
  tag(): number;
  int32(): number;
  uint32(): number;
  bytes(): Uint8Array;
  size(): number;
  skipType(wireType: number, depth?: number, fieldNumber?: number): this;
  string(): string;
  stringVerify(): string;
}
type ReaderClass = new (bytes: Uint8Array) => ProtobufReader;
type StrictReaderClass = new (bytes: Uint8Array, values: number) => ProtobufReader;

/** The part of protobufjs' Writer that is used here. */
interface ProtobufWriter {
  uint32(value: number): this;
  finish(): Uint8Array;
  reset(): this;
  /** Undefined before protobufjs 8.7, whose writers kept a list of operations. */
  readonly buf: Uint8Array | undefined;
}
type WriterClass = new () => ProtobufWriter;
/** The methods of a class by their names. */
type Methods<Class> = Record<string, (this: Class, value: any) => unknown>;

/** Thrown by a reader that finds more values than its limit allows. */
class TooManyValues extends RangeError {}

/**
 * Returns a function that wraps bytes in a reader for `type.decode`. The reader drops unknown
 * fields, whatever `Reader.discardUnknown` says (each would take about a hundred bytes), checks
 * that text is UTF-8 even under proto2, and stops above `values` (`ProtobufOptions.values`).
 * If `capture` finds no class to derive the reader from, the function only returns plain bytes, and
 * none of this is done. protobuf.test.ts fails if that is so for the protobufjs that it imports.
 */
function strictReader(type: object, values: number): (bytes: Uint8Array) => unknown {
  const Base = capture<ProtobufReader>(type, 'decodeDelimited', 'decode', 0, READS);
  // If it gets a Buffer, protobufjs makes Buffers.
  if (Base === undefined) return plain;
  const Class = strictOf(readers, Base as ReaderClass, makeStrictReader);
  return (bytes) => new Class(plain(bytes), values);
}

/**
 * Returns `type.encode` with a writer that throws a RangeError for values that protobufjs would
 * change silently: integers out of their type's range, numbers above 2^53 − 1 for 64 bits, doubles
 * too large for a float, lone surrogates, and strings for bytes (which it would take for base64).
 * If `capture` finds no class to derive the writer from, it uses the type's own writer, without
 * these checks.
 */
function strictEncode(type: {
  encode(message: any, writer?: any): { finish(): Uint8Array };
}): (message: unknown) => Uint8Array {
  const Base = capture<ProtobufWriter>(type, 'encodeDelimited', 'encode', 1, WRITES);
  if (Base === undefined) return (message) => type.encode(message).finish();
  const Class = strictOf(writers, Base as WriterClass, makeStrictWriter);
  let kept: ProtobufWriter | undefined;
  return (message) => {
    // `finish` copies the buffer, so the writer can be reused; but not after a throw, after it grew
    // for a large message, or if it has no buffer (before protobufjs 8.7). Meanwhile it is not in
    // `kept`, because a getter in the message may encode another message.
    const writer = kept ?? new Class();
    kept = undefined;
    type.encode(message, writer);
    const bytes = writer.finish();
    if (writer.buf !== undefined && writer.buf.length <= KEPT_BYTES) kept = writer.reset();
    return bytes;
  };
}

/** The methods of a reader and of a writer that the strict variants need. */
const READS = ['tag', 'int32', 'uint32', 'skipType', 'string', 'stringVerify'] as const;
const WRITES = ['uint32', 'finish', 'reset'] as const;
/** Maximum size of a buffer that a writer keeps for the next message. */
const KEPT_BYTES = 64 * 1024;
const readers = new WeakMap<ReaderClass, StrictReaderClass>();
const writers = new WeakMap<WriterClass, WriterClass>();

function strictOf<Base extends object, Strict>(
  known: WeakMap<Base, Strict>,
  base: Base,
  make: (base: Base) => Strict,
): Strict {
  const strict = known.get(base) ?? make(base);
  known.set(base, strict);
  return strict;
}

function makeStrictReader(Base: ReaderClass): StrictReaderClass {
  /** protobufjs reads lengths with `size` from 8.8.1 on, and with `uint32` before. */
  const nested = 'size' in Base.prototype ? NESTED : 0;
  class StrictReader extends Base {
    /** The number of values that may still be read. */
    left: number;
    /**
     * The position after the last tag. A number read anywhere else is an element of a packed list.
     */
    private tagged = -1;
    /** The number of unknown fields that were skipped. */
    private skipped = 0;
    /** True while a packed list is read whose elements `list` has counted. */
    private inList = false;

    constructor(bytes: Uint8Array, values: number) {
      super(bytes);
      this.left = values;
      this.discardUnknown = true;
    }

    override tag(): number {
      if (--this.left < 0) throw new TooManyValues();
      const tag = super.tag();
      this.tagged = this.pos;
      return tag;
    }

    /**
     * Counts 32 unknown fields as one value: they leave nothing behind, but skipping one takes some
     * ten nanoseconds. (But `tag` counts a field before it is known to be unknown, so an unknown
     * field after the last allowed value is refused. A group counts once, for its end.)
     */
    override skipType(wireType: number, depth?: number, fieldNumber?: number): this {
      if ((++this.skipped & 31) !== 0) this.left++;
      if (wireType === 2) this.left += nested;
      return super.skipType(wireType, depth, fieldNumber);
    }

    /**
     * Counts the nested message whose length follows. (An entry of a map and a packed list of enums
     * count for as much.) protobufjs also calls it once in `bytes`, in `stringVerify` and in
     * `skipType(2)`: they raise `left` before, so that nothing is counted.
     */
    override size(): number {
      if (!this.inList && (this.left -= nested) < 0) throw new TooManyValues();
      return super.size();
    }

    override bytes(): Uint8Array {
      this.left += nested;
      return super.bytes();
    }

    /** Counts the elements of packed enums of proto2, which are read one at a time. */
    override int32(): number {
      if (this.pos !== this.tagged && !this.inList && --this.left < 0) throw new TooManyValues();
      return super.int32();
    }

    override string(): string {
      return this.stringVerify();
    }

    override stringVerify(): string {
      this.left += nested;
      return super.stringVerify();
    }

    /**
     * Counts the elements of the packed list that begins here, before memory is allocated for them.
     * Nothing needs to be counted once the rest of the outermost message (`buf`, not `len`) is too
     * short for the values that are left.
     */
    list(width: number, share: number): void {
      if ((this.buf.length - this.pos) * VALUES_PER_BYTE <= this.left) return;
      const start = this.pos;
      const length = this.uint32();
      const end = this.pos + length;
      let count = 0;
      if (width > 0) count = length / width;
      else if (end <= this.len)
        for (let i = this.pos; i < end; i++) if (this.buf[i]! < 0x80) count++;
      this.pos = start;
      this.left -= Math.floor(count / share);
      if (this.left < 0) throw new TooManyValues();
    }
  }
  const prototype = StrictReader.prototype as unknown as Methods<StrictReader>;
  for (const [kinds, width, share] of LISTS)
    for (const kind of kinds.split(' ')) {
      const read = prototype[`${kind}s`];
      if (read === undefined) continue;
      prototype[`${kind}s`] = function (into) {
        this.list(width, share);
        this['inList'] = true;
        const list = read.call(this, into);
        this['inList'] = false;
        return list;
      };
    }
  return StrictReader;
}

/**
 * Packed lists of these kinds: the width of an element in bytes (0 for varints), and the number of
 * elements that count as one value. Eight plain numbers count as one, because they are not objects.
 */
const LISTS: readonly (readonly [kinds: string, width: number, share: number])[] = [
  ['uint32 int32 sint32 bool', 0, 8],
  ['fixed32 sfixed32 float', 4, 8],
  ['double', 8, 8],
  ['uint64 int64 sint64', 0, 1],
  ['fixed64 sfixed64', 8, 1],
];

/**
 * Adds a check before each method that `CHECKS` names; the method for packed lists ('int32s')
 * checks each element.
 */
function makeStrictWriter(Base: WriterClass): WriterClass {
  class StrictWriter extends Base {
    /**
     * The last uint32 written; before a value, this is its tag. In an entry of a map, field 1 is
     * the key and field 2 the value.
     */
    tag = 0;
  }
  const prototype = StrictWriter.prototype as unknown as Methods<StrictWriter>;
  for (const [kinds, isFit, expected] of CHECKS)
    for (const kind of kinds.split(' ')) {
      const write = prototype[kind];
      const writeAll = prototype[`${kind}s`];
      if (write === undefined) continue;
      const isTag = kind === 'uint32';
      const misfit = (tag: number, value: unknown) =>
        new RangeError(
          `field ${tag >>> 3}: expected ${expected}, got ${typeof value === 'number' ? value : kindOf(value)}`,
        );
      prototype[kind] = function (value) {
        if (!isFit(value)) throw misfit(this.tag, value);
        if (isTag) this.tag = value;
        return write.call(this, value);
      };
      if (writeAll === undefined) continue;
      prototype[`${kind}s`] = function (values: unknown[]) {
        for (const value of values) if (!isFit(value)) throw misfit(this.tag, value);
        return writeAll.call(this, values);
      };
    }
  return StrictWriter;
}

const isInt32 = (value: unknown) => (value as number) === ((value as number) | 0);
const isUint32 = (value: unknown) => (value as number) === (value as number) >>> 0;
const isLong = (value: unknown) =>
  typeof value === 'object' && value !== null && 'low' in value && 'high' in value;
const isInt64 = (value: unknown) => Number.isSafeInteger(value) || isLong(value);
const isUint64 = (value: unknown) =>
  (Number.isSafeInteger(value) && (value as number) >= 0) || isLong(value);
/** 2^128 − 2^103: this number and all above it round to an infinite float. */
const FLOAT_END = 3.4028235677973366e38;
const isFloat = (value: unknown) =>
  typeof value === 'number' && (Math.abs(value) < FLOAT_END || !Number.isFinite(value));
const isText = (value: unknown) => typeof value === 'string' && !hasLoneSurrogate(value);

type Check = readonly [kinds: string, isFit: (value: unknown) => boolean, expected: string];
/** The values that may be written as these kinds. */
const CHECKS: readonly Check[] = [
  ['uint32 fixed32', isUint32, 'an integer from 0 to 2^32 − 1'],
  ['int32 sint32 sfixed32', isInt32, 'an integer from −2^31 to 2^31 − 1'],
  ['uint64 fixed64', isUint64, 'an integer from 0 to 2^53 − 1, or a Long'],
  ['int64 sint64 sfixed64', isInt64, 'an integer from −(2^53 − 1) to 2^53 − 1, or a Long'],
  ['float', isFloat, 'a number within the range of a float'],
  ['string', isText, 'text without lone surrogates'],
  ['bytes', (value) => value instanceof Uint8Array, 'a Uint8Array'],
];

/**
 * Finds out which reader or writer class a type uses. `decodeDelimited` creates a reader and passes
 * it to `this.decode`; `encodeDelimited` does the same with a writer and `this.encode`. This
 * function calls them with a substitute `this` and looks at the class of the object that they pass.
 * The byte is a message of length 0 for a reader, and must not be a Buffer, for which protobufjs
 * has another class; a writer never sees it.
 *
 * @param argument the position of the reader or writer among the arguments of `inner`.
 * @param needs the methods without which the result is undefined.
 */
function capture<T>(
  type: object,
  method: string,
  inner: string,
  argument: number,
  needs: readonly (keyof T & string)[],
): unknown {
  const call = (type as Record<string, unknown>)[method];
  if (typeof call !== 'function') return undefined;
  let made: Record<string, unknown> | undefined;
  const keep = (...given: unknown[]) => {
    made = given[argument] as Record<string, unknown>;
    return made;
  };
  try {
    call.call({ [inner]: keep }, new Uint8Array([0]));
  } catch {
    return undefined;
  }
  return made !== undefined && needs.every((name) => typeof made?.[name] === 'function')
    ? made.constructor
    : undefined;
}
