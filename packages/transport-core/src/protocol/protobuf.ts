// The codec of protobuf, by a type that protobufjs made.

import { TransportError, traceDepth } from '../errors.ts';
import type { Codec } from './codec.ts';
import { kindOf, quote } from './describe.ts';
import { strictEncode, strictReader, TooManyValues } from './protobuf-strict.ts';
import { limitOf, oversize, refusal } from './refusal.ts';

/** A reflection `Type` of protobufjs: what it decodes the compiler can't know, so `protobuf<Append>(type)` says it. */
export type ReflectionType = ProtobufType<{ [member: string]: any }>;

/** What we need of protobufjs: a reflection `Type`, or a class of its static code. Nothing of it is imported here. */
export interface ProtobufType<Out> {
  encode(message: any, writer?: any): { finish(): Uint8Array };
  decode(reader: any): Out;
  verify?(message: { [name: string]: any }): string | null;
}

/**
 * Limits of one message of `protobuf`. Above them both ends refuse it: `resource_exhausted`, reason `too_large`. Give both ends the same. The
 * defaults keep the receiver from being blocked for more than 100 ms by one message.
 */
export interface ProtobufOptions {
  /** Bytes. Default 8 MiB. */
  readonly limit?: number | undefined;
  /**
   * Fields of the type, those of nested messages included, and elements of packed lists: each of 64-bit integers, and each eight of other
   * numbers. Default 262,144. Empty ones take far more memory than bytes.
   */
  readonly values?: number | undefined;
}

/**
 * Protobuf by protobufjs 8: a reflection type (name it: `protobuf<Append>(type)`) or a static class.
 *
 * encode takes plain objects and message instances alike and converts nothing: enums are numbers, bytes Uint8Arrays, 64-bit
 * integers `Long`s or numbers to 2^53 − 1. `invalid_argument`, naming the field, for what `verify` refuses and for what would
 * arrive as something else: integers out of range, lone surrogates. Members that the type does not know are not sent.
 *
 * decode gives protobufjs' message: 64-bit integers are `Long`s, absent members have their defaults, unknown fields are dropped.
 * `invalid_argument` for bytes that are cut off within a field or are no message of the type, for text that is no UTF-8, and for more
 * than 100 levels of nesting. A message above `options.limit` or `options.values` is `resource_exhausted`, reason `too_large`, at its sender
 * and, if it comes all the same, at its receiver. NaN, ±Infinity and −0 of floats and doubles cross as they are.
 */
export function protobuf<Out, In = Out>(type: ProtobufType<Out> | ReflectionType, options: ProtobufOptions = {}): Codec<Out, In> {
  if (type === null || (typeof type !== 'object' && typeof type !== 'function') || typeof type.encode !== 'function' || typeof type.decode !== 'function') {
    throw new TypeError("protobuf: takes a protobufjs type, such as root.lookupType('raft.Append'), or a class of its static code");
  }
  const limit = limitOf('protobuf', 'limit', options.limit, LIMIT);
  const values = limitOf('protobuf', 'values', options.values, VALUES);
  const name = `protobuf(${nameOf(type)})`;
  const open = strictReader(type, values);
  const write = strictEncode(type);
  const tooLong = (length: number) => oversize(name, `has ${length} bytes, above the limit of ${limit}`, 'protobuf(type, { limit })');
  const translate = (error: unknown, otherwise: string): unknown => {
    if (error instanceof TransportError) return error;
    if (error instanceof TooManyValues) return oversize(name, `has more than ${values} values, the limit`, 'protobuf(type, { values })');
    return refusal(name, '', `${otherwise}: ${quote(error instanceof Error ? error.message : String(error), 200)}`, error);
  };
  return Object.freeze({
    name,
    limit,
    encode(value: In): Uint8Array {
      if (typeof value !== 'object' || value === null) throw refusal(name, '', `expected a message, got ${kindOf(value)}`);
      try {
        const problem = type.verify?.(value);
        if (typeof problem === 'string') throw refusal(name, ...split(problem));
        const bytes = write(value);
        if (bytes.length > limit) throw tooLong(bytes.length);
        // Each value takes a byte at least. Nobody but a reader can count them.
        if (bytes.length > values) type.decode(open(bytes));
        return bytes;
      } catch (error) {
        throw translate(error, "can't be encoded");
      }
    },
    /** Refusals take no stack trace: a peer can cause them as often as it likes. */
    decode(bytes: Uint8Array): Out {
      const depth = traceDepth(0);
      try {
        if (bytes.length > limit) throw tooLong(bytes.length);
        return type.decode(open(bytes)) as Out;
      } catch (error) {
        throw translate(error, 'is no message of the type');
      } finally {
        traceDepth(depth);
      }
    },
  });
}

const LIMIT = 8 * 1024 * 1024;
const VALUES = 262_144;

/** protobufjs' 'entries.term: integer expected' as path and problem. */
function split(problem: string): [path: string, problem: string] {
  const colon = problem.indexOf(': ');
  return colon < 0 ? ['', problem] : [`.${problem.slice(0, colon)}`, problem.slice(colon + 2)];
}

/** 'raft.Append', from a reflection type's full name, a static class's type URL, or else its own name. */
function nameOf(type: object): string {
  const { fullName, getTypeUrl, name } = type as { fullName?: unknown; getTypeUrl?: unknown; name?: unknown };
  if (typeof fullName === 'string') return fullName.replace(/^\./, '');
  if (typeof getTypeUrl === 'function') return String(getTypeUrl.call(type, '')).replace(/^\//, '');
  return typeof name === 'string' ? name : 'message';
}
