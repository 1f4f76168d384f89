// The codec of JSON, checked at both ends by a schema.

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { traceDepth } from '../errors.ts';
import type { Codec } from './codec.ts';
import { member, quote } from './describe.ts';
import { findBreach, isWellFormed, pathText, scan, tooDeep, tooMany, weigh, weighParsed } from './json-check.ts';
import { AsyncSchemaError, limitOf, oversize, refusal, WORK } from './refusal.ts';

/** Limits of one message of `json`. Above them both ends refuse it: `resource_exhausted`, reason `too_large`. Give both ends the same. */
export interface JsonOptions {
  /** Bytes of its text. Default 4 MiB. */
  readonly limit?: number | undefined;
  /**
   * Values in it: numbers, strings, booleans, nulls, lists and objects. A value deeper than two levels counts once for every two levels (more
   * beyond 16), an object four times more, an empty list or object once more. Default 32,768.
   *
   * A schema library makes an error for each bad value, which costs some microseconds and a hundred times the memory of the value. The
   * default keeps the receiver from being blocked for more than 100 ms by a message of bad values alone; ten times as many may block it
   * ten times as long.
   */
  readonly values?: number | undefined;
}

/**
 * JSON under any synchronous Standard Schema (zod 4 and its mini, valibot, arktype …). What crosses is `JSON.stringify` of what
 * was given, after the check, so the schema's input must be JSON: `z.iso.datetime()`, not `z.date()`. The receiver checks
 * again and gets the schema's output; of a longer message that breaks its schema it tells the first issue. `invalid_argument`, naming the
 * path, is what either end says to:
 *
 * - what JSON would lose or bend: NaN, ±Infinity, undefined in a list, a bigint, function or symbol, Date, Map, Set, typed array,
 *   an instance of any class (spread it: `{ ...value }`), a cycle. A member that is undefined is left out; −0 is sent as 0
 * - a number in a text that no double holds (`1e999`), which would be Infinity. Digits beyond a double's 17 are lost, as in `JSON.parse`:
 *   send integers above 2^53 − 1 as strings
 * - lone surrogates, in strings and keys: they are no Unicode text
 * - more than 1,000 levels of nesting
 * - bytes that are no UTF-8 (a byte order mark included) or no JSON, and a breach of the schema
 *
 * A message above `options.limit` or `options.values` is `resource_exhausted`, reason `too_large`, at its sender and, if it comes all the
 * same, at its receiver.
 *
 * A key `__proto__` is plain data: it changes nothing but the object that has it. Of a key that comes twice the last counts.
 * A schema that answers asynchronously is a TypeError.
 */
export function json<S extends StandardSchemaV1>(schema: S, options: JsonOptions = {}): Codec<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>> {
  const standard = (schema as StandardSchemaV1 | undefined)?.['~standard'];
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    throw new TypeError("json: takes a Standard Schema (an object with '~standard', version 1), such as z.object({ … })");
  }
  const first = firstIssueOf(schema);
  const limit = limitOf('json', 'limit', options.limit, LIMIT);
  const values = limitOf('json', 'values', options.values, VALUES);
  return Object.freeze({
    name: 'json',
    limit,
    encode(value: StandardSchemaV1.InferInput<S>): Uint8Array {
      const weight = weigh(value);
      if (weight < 0) throw findBreach(value);
      if (weight > values) throw tooMany(weight, values);
      validate(standard, value);
      let text: string;
      try {
        text = JSON.stringify(value);
      } catch (error) {
        throw refusal('json', '', `can't be written as JSON: ${String(error)}`, error);
      }
      if (text.includes('\\ud') && !isWellFormed(value)) throw findBreach(value);
      const bytes = encoder.encode(text);
      if (bytes.length > limit) throw tooLong(bytes.length, limit);
      return bytes;
    },
    decode(bytes: Uint8Array): StandardSchemaV1.InferOutput<S> {
      const value = parse(bytes, limit, values);
      const result = bytes.length > SHORT ? first?.(value) : undefined;
      return result === undefined ? validate(standard, value, 0) : outputOf(result, 0);
    },
  });
}

/** Its worst text (of escapes that a regular expression reads) takes some 30 ms to decode. */
const LIMIT = 4 * 1024 * 1024;
const VALUES = 32_768;
/** Up to this length all issues of a text are told: it can't have many. */
const SHORT = 256;
/** From this length on a text is scanned before it is parsed. A shorter one that breaks a limit can cost little memory: it is weighed as a value. */
const SCANNED = 64 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Refusals take no stack trace: a peer can cause them as often as it likes. */
function parse(bytes: Uint8Array, limit: number, values: number): unknown {
  const depth = traceDepth(0);
  try {
    if (bytes.length > limit) throw tooLong(bytes.length, limit);
    if (bytes.length >= SCANNED) {
      const weight = scan(bytes);
      if (weight < 0) throw tooDeep();
      if (weight > values) throw tooMany(weight, values);
    }
    return build(bytes, values);
  } finally {
    traceDepth(depth);
  }
}

function build(bytes: Uint8Array, values: number): unknown {
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
  const weight = weighParsed(value);
  if (weight < 0) throw findBreach(value);
  if (weight > values) throw tooMany(weight, values);
  if (text.includes('\\') && /\\u[dD]/.test(text) && !isWellFormed(value)) throw findBreach(value);
  return value;
}

function tooLong(length: number, limit: number): Error {
  return oversize('json', `has ${length} bytes, above the limit of ${limit}`, 'json(schema, { limit })');
}

/** The schema's output; throws if it has issues. @param frames of the error's stack trace; undefined: as many as usual */
function validate(standard: StandardSchemaV1.Props, value: unknown, frames?: number): unknown {
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
  return outputOf(result, frames);
}

/** The output of a schema that has answered. */
function outputOf(result: StandardSchemaV1.Result<unknown>, frames?: number): unknown {
  const { issues } = result;
  if (issues === undefined) return (result as StandardSchemaV1.SuccessResult<unknown>).value;
  const first = issues[0];
  const steps = (first?.path ?? []).map((step) => member(typeof step === 'object' ? step.key : step));
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const text = first?.message ?? 'breaks its schema';
  const depth = traceDepth(frames);
  const error = refusal('json', pathText(steps), `${text.length > MESSAGE ? `${text.slice(0, MESSAGE)}…` : text}${more}`);
  traceDepth(depth);
  if (issues.length > 1) Object.defineProperty(error, WORK, { value: issues.length * Math.max(1, steps.length) * ISSUE });
  throw error;
}

/**
 * zod's check that stops at the first element of a wrong type, as its `validate()` does: a list of a million bad elements costs as much as
 * one. Undefined of other schemas. It returns undefined if the schema throws or is asynchronous: `validate` tells which.
 */
function firstIssueOf(schema: StandardSchemaV1): ((value: unknown) => StandardSchemaV1.Result<unknown> | undefined) | undefined {
  const zod = schema as StandardSchemaV1 & { safeParse?(value: unknown, context: { abortEarly: true }): SafeParsed };
  if (schema['~standard'].vendor !== 'zod' || typeof zod.safeParse !== 'function') return undefined;
  return (value) => {
    try {
      // A version of zod that does not know `abortEarly` finds all issues: `values` bounds them.
      const { success, data, error } = zod.safeParse!(value, { abortEarly: true });
      return success ? { value: data } : { issues: error!.issues };
    } catch {
      return undefined;
    }
  };
}

interface SafeParsed {
  readonly success: boolean;
  readonly data?: unknown;
  readonly error?: { readonly issues: readonly StandardSchemaV1.Issue[] };
}

/** Work units of one issue, for each step of its path: 1 to 3 µs in zod. */
const ISSUE = 16;
/** Characters of a schema's message that are told: one that lists unknown keys may be as long as what came. */
const MESSAGE = 500;
