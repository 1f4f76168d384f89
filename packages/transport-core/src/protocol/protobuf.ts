// The protobuf codec, for types that protobufjs made.

import { optionsSchema, parseOptions } from '../config.ts';
import { TransportError, traceDepth } from '../errors.ts';
import type { Codec } from './codec.ts';
import { strictEncode, strictReader, TooManyValues } from './protobuf-strict.ts';
import { kindOf, limitOptions, oversize, quote, refusal } from './refusal.ts';

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
   * of packed lists. In a packed list, each 64-bit integer counts as one value, and any eight other
   * numbers together count as one, as do 32 unknown fields. Default 32,768, as for `json`. The limit
   * exists because empty fields take far more memory than their encoded bytes.
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
 */
export function protobuf<Out, In = Out>(
  type: ProtobufType<Out> | ReflectionType,
  options: ProtobufOptions = {},
): Codec<Out, In> {
  if (
    type === null ||
    (typeof type !== 'object' && typeof type !== 'function') ||
    typeof type.encode !== 'function' ||
    typeof type.decode !== 'function'
  ) {
    throw new TypeError(
      "protobuf: expected a protobufjs type, such as root.lookupType('raft.Append'), or a generated static class",
    );
  }
  const { limit, values } = parseOptions(LIMITS, options, 'protobuf');
  const name = `protobuf(${nameOf(type)})`;
  const open = strictReader(type, values);
  const write = strictEncode(type);
  const tooLong = (length: number) =>
    oversize(name, `has ${length} bytes, above the limit of ${limit}`, 'protobuf(type, { limit })');
  const translate = (error: unknown, otherwise: string): unknown => {
    if (error instanceof TransportError) return error;
    if (error instanceof TooManyValues)
      return oversize(
        name,
        `has more values than the limit of ${values}`,
        'protobuf(type, { values })',
      );
    return refusal(
      name,
      '',
      `${otherwise}: ${quote(error instanceof Error ? error.message : String(error), 200)}`,
      error,
    );
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
        // Each value takes at least a byte. Only a reader can count them.
        if (bytes.length > values) type.decode(open(bytes));
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
  const { fullName, getTypeUrl, name } = type as {
    fullName?: unknown;
    getTypeUrl?: unknown;
    name?: unknown;
  };
  if (typeof fullName === 'string') return fullName.replace(/^\./, '');
  if (typeof getTypeUrl === 'function') return String(getTypeUrl.call(type, '')).replace(/^\//, '');
  return typeof name === 'string' ? name : 'message';
}
