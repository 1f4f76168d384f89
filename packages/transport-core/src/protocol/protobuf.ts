// The codec of protobuf, by a type that protobufjs made.

import { TransportError } from '../errors.ts';
import type { Codec } from './codec.ts';
import { kindOf, quote } from './describe.ts';
import { strictEncode, strictReader } from './protobuf-strict.ts';
import { refusal } from './refusal.ts';

/** A reflection `Type` of protobufjs: what it decodes the compiler can't know, so `protobuf<Append>(type)` says it. */
export type ReflectionType = ProtobufType<{ [member: string]: any }>;

/** What we need of protobufjs: a reflection `Type`, or a class of its static code. Nothing of it is imported here. */
export interface ProtobufType<Out> {
  encode(message: any, writer?: any): { finish(): Uint8Array };
  decode(reader: any): Out;
  verify?(message: { [name: string]: any }): string | null;
}

export interface ProtobufOptions {
  /** Fields that one message may have, those of nested messages included. Default 4,000,000: empty ones take far more memory than bytes. */
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
 * `invalid_argument` for bytes that are cut off within a field or are no message of the type, for text that is no UTF-8, for more
 * than 100 levels of nesting and more than `values` fields.
 */
export function protobuf<Out, In = Out>(type: ProtobufType<Out> | ReflectionType, options: ProtobufOptions = {}): Codec<Out, In> {
  if (type === null || (typeof type !== 'object' && typeof type !== 'function') || typeof type.encode !== 'function' || typeof type.decode !== 'function') {
    throw new TypeError("protobuf: takes a protobufjs type, such as root.lookupType('raft.Append'), or a class of its static code");
  }
  const { values = 4_000_000 } = options;
  if (!(Number.isInteger(values) && values > 0)) throw new TypeError(`protobuf: values: must be an integer above 0, got ${String(values)}`);
  const name = `protobuf(${nameOf(type)})`;
  const open = strictReader(type, values);
  const write = strictEncode(type);
  return Object.freeze({
    name,
    encode(value: In): Uint8Array {
      if (typeof value !== 'object' || value === null) throw refusal(name, '', `expected a message, got ${kindOf(value)}`);
      try {
        const problem = type.verify?.(value);
        if (typeof problem === 'string') throw refusal(name, ...split(problem));
        return write(value);
      } catch (error) {
        throw translate(name, error, "can't be encoded");
      }
    },
    decode(bytes: Uint8Array): Out {
      try {
        return type.decode(open(bytes)) as Out;
      } catch (error) {
        throw translate(name, error, 'is no message of the type');
      }
    },
  });
}

function translate(name: string, error: unknown, otherwise: string): unknown {
  if (error instanceof TransportError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return refusal(name, '', `${otherwise}: ${quote(text, 200)}`, error);
}

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
