// The codec of JSON, checked at both ends by a schema.

import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Codec } from './codec.ts';
import { member, quote } from './describe.ts';
import { findBreach, isJson, isWellFormed, refuseDepth } from './json-check.ts';
import { AsyncSchemaError, refusal } from './refusal.ts';

/**
 * JSON under any synchronous Standard Schema (zod 4 and its mini, valibot, arktype …). What crosses is `JSON.stringify` of what
 * was given, after the check, so the schema's input must be JSON: `z.iso.datetime()`, not `z.date()`. The receiver checks
 * again and gets the schema's output. `invalid_argument`, naming the path, is what either end says to:
 *
 * - what JSON would lose or bend: NaN, ±Infinity, undefined in a list, a bigint, function or symbol, Date, Map, Set, typed array,
 *   an instance of any class (spread it: `{ ...value }`), a cycle. A member that is undefined is left out; −0 arrives as 0
 * - lone surrogates, in strings and keys: they are no Unicode text
 * - more than 1,000 levels of nesting, or (receiving) more than 4,000,000 lists and objects
 * - bytes that are no UTF-8 (a byte order mark included) or no JSON, and a breach of the schema
 *
 * A key `__proto__` is plain data: it changes nothing but the object that has it. Of a key that comes twice the last counts.
 * A schema that answers asynchronously is a TypeError.
 */
export function json<S extends StandardSchemaV1>(schema: S): Codec<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>> {
  const standard = (schema as StandardSchemaV1 | undefined)?.['~standard'];
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    throw new TypeError("json: takes a Standard Schema (an object with '~standard', version 1), such as z.object({ … })");
  }
  return Object.freeze({
    name: 'json',
    encode(value: StandardSchemaV1.InferInput<S>): Uint8Array {
      if (!isJson(value, 0)) throw findBreach(value);
      validate(standard, value);
      let text: string;
      try {
        text = JSON.stringify(value);
      } catch (error) {
        throw refusal('json', '', `can't be written as JSON: ${String(error)}`, error);
      }
      if (text.includes('\\ud') && !isWellFormed(value)) throw findBreach(value);
      return encoder.encode(text);
    },
    decode: (bytes: Uint8Array): StandardSchemaV1.InferOutput<S> => validate(standard, parse(bytes)),
  });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parse(bytes: Uint8Array): unknown {
  refuseDepth(bytes);
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (error) {
    throw refusal('json', '', 'is no valid UTF-8', error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refusal('json', '', `is no valid JSON: ${quote(error instanceof Error ? error.message : String(error), 200)}`, error);
  }
  if (/\\u[dD]/.test(text) && !isWellFormed(value)) throw findBreach(value);
  return value;
}

/** The schema's output; throws where it has issues. */
function validate(standard: StandardSchemaV1.Props, value: unknown): unknown {
  let result: ReturnType<StandardSchemaV1.Props['validate']>;
  try {
    result = standard.validate(value);
  } catch (error) {
    throw refusal('json', '', `its schema threw: ${quote(String(error), 200)}`, error);
  }
  if ('then' in result) {
    Promise.resolve(result).catch(() => {});
    throw new AsyncSchemaError(
      'json: the schema answers asynchronously (zod also where a refinement throws); leave out async refinements and transforms, and check in the handler what they check',
    );
  }
  if (result.issues === undefined) return result.value;
  const [first, ...others] = result.issues;
  let path = '';
  for (const step of first?.path ?? []) path += member(typeof step === 'object' ? step.key : step);
  throw refusal('json', path, `${first?.message ?? 'breaks its schema'}${others.length > 0 ? ` (and ${others.length} more)` : ''}`);
}
