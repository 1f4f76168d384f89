// The JSON codec; a schema checks the values at both ends. json-check.ts checks and weighs values
// before the schema sees them. Tested in json.test.ts, json.kinds.test.ts, json.limits.test.ts and
// json.schema.test.ts.

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { flag, optionsSchema, parseOptions, withDefault } from '../config.ts';
import { traceDepth } from '../errors.ts';
import { encodeText } from '../short-bytes.ts';
import { errorText, member, quote } from '../text.ts';
import { AsyncSchemaError, type Codec, limitOptions, oversize, refusal, WORK } from './codec.ts';
import {
  findBreach,
  isWellFormed,
  pathText,
  scan,
  tooDeep,
  tooMany,
  weigh,
  weighParsed,
} from './json-check.ts';

/**
 * Options of `json`. Both ends refuse a message above a limit with `resource_exhausted` (reason
 * `too_large`). Use the same options at both ends.
 */
export interface JsonOptions {
  /** Maximum size of the JSON text in bytes. Default 4 MiB. */
  readonly limit?: number | undefined;
  /**
   * Maximum number of values in the message: numbers, strings, booleans, nulls, lists and objects.
   * A value deeper than two levels counts once for every two levels (more from level 16 on). An
   * object counts four more, and an empty list or object counts as if it contained one value.
   * Default 32,768.
   *
   * A schema library creates an error for each bad value, which costs some microseconds and a
   * hundred times the memory of the value. The default keeps a message that consists of bad values
   * from blocking its receiver for more than 100 ms. With ten times the limit, it may block the
   * receiver ten times as long.
   */
  readonly values?: number | undefined;
  /**
   * True to allow the key `__proto__`, and `prototype` in the value of `constructor`. Default
   * false: both ends refuse them with `invalid_argument`, because code that copies members
   * (`Object.assign({}, value)`, a deep merge) would give the copy, or all objects, a prototype
   * that the peer chose.
   */
  readonly protoKeys?: boolean | undefined;
}

/**
 * Returns a codec for JSON, checked by any synchronous Standard Schema (zod 4 and its mini,
 * valibot, arktype …). The sender checks the value and sends the result of `JSON.stringify`, so the
 * schema's input must be JSON: `z.iso.datetime()`, not `z.date()`. The receiver checks again and
 * gets the schema's output. If a message longer than 256 bytes breaks a zod schema, the receiver
 * may report only the first issue.
 *
 * Either end refuses the following with `invalid_argument`, which names the path:
 *
 * - values that JSON would lose or change: NaN, ±Infinity, undefined in a list, a bigint, function
 *   or symbol, Date, Map, Set, typed array, an instance of any class (spread it: `{ ...value }`), a
 *   cycle. A member that is undefined is left out, and −0 is sent as 0.
 * - a number in the received text that exceeds the range of a double (`1e999`) and would become
 *   Infinity. As in `JSON.parse`, digits beyond a double's 17 are lost: send integers above 2^53 −
 *   1 as strings.
 * - lone surrogates in strings and keys, because they are not Unicode text
 * - more than 1,000 levels of nesting
 * - the key `__proto__` in any spelling (`"\u005f_proto__"`), and `prototype` in the value of a key
 *   `constructor`, unless `options.protoKeys` is true. Allowed keys are plain data and affect only
 *   the object that has them.
 * - bytes that are not UTF-8 (including a byte order mark) or not JSON, and values that break the
 *   schema
 *
 * A message above `options.limit` or `options.values` is refused with `resource_exhausted` (reason
 * `too_large`), by its sender and also by its receiver.
 *
 * If a key is repeated, its last value counts. An asynchronous schema causes a TypeError at the
 * sender; the receiver refuses the message with `internal`.
 *
 * @throws TypeError for an object that is not a Standard Schema, for an invalid option, and for a
 * schema of values that JSON does not have, such as `z.void()` or `z.date()`, also as a required
 * member or the element of a list, if its kind shows that (zod 4, valibot; of arktype only the
 * outermost). For no content, use `empty`.
 */
export function json<S extends StandardSchemaV1>(
  schema: S,
  options: JsonOptions = {},
): Codec<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>> {
  const standard = (schema as StandardSchemaV1 | undefined)?.['~standard'];
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    throw new TypeError(
      "json: expected a Standard Schema (an object with '~standard', version 1), such as z.object({ … })",
    );
  }
  refuseMisfit(schema);
  const first = firstIssueOf(schema);
  const { limit, values, protoKeys } = parseOptions(OPTIONS, options, 'json');
  return Object.freeze({
    name: 'json',
    limit,
    schema,
    owned: true,
    encode(value: StandardSchemaV1.InferInput<S>): Uint8Array {
      const weight = weigh(value, protoKeys);
      if (weight < 0) throw findBreach(value, protoKeys);
      if (weight > values) throw tooMany(weight, values);
      validate(standard, value);
      let text: string;
      try {
        text = JSON.stringify(value);
      } catch (error) {
        throw refusal('json', '', `can't be written as JSON: ${String(error)}`, error);
      }
      if (text.includes('\\ud') && !isWellFormed(value)) throw findBreach(value, protoKeys);
      const bytes = encodeText(text);
      if (bytes.length > limit) throw tooLong(bytes.length, limit);
      return bytes;
    },
    decode(bytes: Uint8Array): StandardSchemaV1.InferOutput<S> {
      const value = parse(bytes, limit, values, protoKeys);
      const result = bytes.length > SHORT ? first?.(value) : undefined;
      return result === undefined ? validate(standard, value, 0) : outputOf(result, 0);
    },
  });
}

/**
 * The default of `options.limit`. The most expensive JSON text of this length (escapes that a
 * regular expression checks) takes about 30 ms to decode.
 */
const LIMIT = 4 * 1024 * 1024;
const VALUES = 32_768;
const OPTIONS = optionsSchema({
  ...limitOptions(LIMIT, VALUES),
  protoKeys: withDefault(flag(), false),
});
/**
 * Maximum length, in bytes, of JSON text for which all issues are reported: short text can't have
 * many.
 */
const SHORT = 256;
/**
 * JSON text of at least this length is scanned before it is parsed. Shorter text above a limit
 * can't take much memory, so its value is weighed after parsing.
 */
const SCANNED = 64 * 1024;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses JSON text within the limits. Errors get no stack trace, because a peer can cause them as
 * often as it likes.
 */
function parse(bytes: Uint8Array, limit: number, values: number, protoKeys: boolean): unknown {
  const depth = traceDepth(0);
  try {
    if (bytes.length > limit) throw tooLong(bytes.length, limit);
    if (bytes.length >= SCANNED) {
      const weight = scan(bytes);
      if (weight < 0) throw tooDeep();
      if (weight > values) throw tooMany(weight, values);
    }
    return build(bytes, values, protoKeys);
  } finally {
    traceDepth(depth);
  }
}

function build(bytes: Uint8Array, values: number, protoKeys: boolean): unknown {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (error) {
    throw refusal('json', '', 'is not valid UTF-8', error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refusal('json', '', `is not valid JSON: ${quote(errorText(error), 200)}`, error);
  }
  const weight = weighParsed(value, protoKeys);
  if (weight < 0) throw findBreach(value, protoKeys);
  if (weight > values) throw tooMany(weight, values);
  if (text.includes('\\') && /\\u[dD]/.test(text) && !isWellFormed(value))
    throw findBreach(value, protoKeys);
  return value;
}

function tooLong(length: number, limit: number): Error {
  const problem = `has ${length} bytes, above the limit of ${limit}`;
  return oversize('json', problem, 'json(schema, { limit })');
}

/**
 * Returns the schema's output; throws if there are issues.
 *
 * @param frames the number of frames in the stack trace of the error for issues; undefined means
 * the usual number, which the other errors thrown here always have.
 */
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
      'json: the schema validates asynchronously (zod also does when a refinement throws); remove async refinements and transforms, and make those checks in the handler',
    );
  }
  return outputOf(result, frames);
}

/** Returns the output of a schema's result, or throws the error for its issues. */
function outputOf(result: StandardSchemaV1.Result<unknown>, frames?: number): unknown {
  const { issues } = result;
  if (issues === undefined) return (result as StandardSchemaV1.SuccessResult<unknown>).value;
  const first = issues[0];
  const steps = (first?.path ?? []).map((step) =>
    member(typeof step === 'object' ? step.key : step),
  );
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const text = first?.message ?? 'does not match its schema';
  const shown = text.length > MESSAGE ? `${text.slice(0, MESSAGE)}…` : text;
  const depth = traceDepth(frames);
  const error = refusal('json', pathText(steps), shown + more);
  traceDepth(depth);
  const work = issues.length * Math.max(1, steps.length) * ISSUE;
  if (issues.length > 1) Object.defineProperty(error, WORK, { value: work });
  throw error;
}

/**
 * Returns a check that stops at the first element of a wrong type, as the method `validate` of
 * zod's schemas does: a list of a million bad elements then costs as much as one. Returns undefined
 * for other schema libraries. The check itself returns undefined if the schema throws or is
 * asynchronous; `validate` then reports both as asynchronous, because zod does not tell them apart.
 */
function firstIssueOf(
  schema: StandardSchemaV1,
): ((value: unknown) => StandardSchemaV1.Result<unknown> | undefined) | undefined {
  const zod = schema as StandardSchemaV1 & {
    safeParse?(value: unknown, context: typeof ONE_ISSUE): SafeParsed;
  };
  if (schema['~standard'].vendor !== 'zod' || typeof zod.safeParse !== 'function') return undefined;
  return (value) => {
    try {
      // A version of zod without `abortEarly` finds all issues; `values` bounds their number.
      const { success, data, error } = zod.safeParse!(value, ONE_ISSUE);
      return success ? { value: data } : { issues: error!.issues };
    } catch {
      return undefined;
    }
  };
}

/**
 * The parameters of zod's parse. zod sets `async` itself; in Node 20 adding it to a copy makes zod
 * three times slower.
 */
const ONE_ISSUE = { async: false, abortEarly: true } as const;

interface SafeParsed {
  readonly success: boolean;
  readonly data?: unknown;
  readonly error?: { readonly issues: readonly StandardSchemaV1.Issue[] };
}

/**
 * The cost, in work units, of one issue for each step of its path; zod needs 1 to 3 µs for a step
 * (docs/wire-protocol.md §9).
 */
const ISSUE = 16;
/**
 * The maximum number of characters in a schema's message within an error: a message that lists
 * unknown keys may be as long as the received text.
 */
const MESSAGE = 500;

// Finds schemas of values that JSON can't carry, by the kinds that zod 4, valibot and arktype give
// their schemas.

/**
 * Refuses a schema if it, a member that it requires, or an element of its lists is of a kind that
 * JSON does not have. It looks into objects, lists, unions and wrappers of zod and valibot, and at
 * arktype's own kind. It passes lazy schemas, and those of unknown kinds.
 *
 * @throws TypeError that names the place and what to use instead.
 */
function refuseMisfit(schema: StandardSchemaV1): void {
  if (!/^(zod|valibot|arktype)$/.test(schema['~standard'].vendor)) return;
  let found: string | undefined;
  try {
    found = misfitOf(schema as Schema, '', new Set());
  } catch {
    // A getter of a recursive schema refers to one that is not defined yet.
  }
  if (found !== undefined) throw new TypeError(`json: value${found}`);
}

/** The parts of zod's definitions (in `_zod`), valibot's and arktype's schemas that are read. */
interface Schema {
  readonly _zod?: { readonly def: Schema; readonly optin?: string };
  readonly type?: string;
  readonly expression?: string;
  readonly coerce?: boolean;
  readonly fallback?: unknown;
  readonly innerType?: Schema;
  readonly wrapped?: Schema;
  readonly in?: Schema;
  readonly element?: Schema;
  readonly item?: Schema;
  readonly options?: readonly Schema[];
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly entries?: Readonly<Record<string, Schema>>;
}

/** Returns the first misfit: its path, and what is wrong. */
function misfitOf(schema: Schema, path: string, seen: Set<unknown>): string | undefined {
  const def = schema._zod?.def ?? schema;
  const kind = (def.expression ?? def.type ?? '').toLowerCase();
  // A schema that takes null, converts its input, or replaces a value that does not fit accepts
  // some JSON, whatever its kind.
  if (seen.has(schema) || def.coerce || 'fallback' in def || /null|catch/.test(kind)) return;
  seen.add(schema);
  const misfit = MISFIT.exec(kind);
  if (misfit !== null) {
    const [, isNothing, isDate] = misfit;
    return `${path}: JSON has no value of the kind '${kind}'; ${isNothing ? 'for no content, use the codec `empty`' : `use ${isDate ? 'a string such as z.iso.datetime()' : 'strings, lists and objects'}`}`;
  }
  const inner = def.innerType ?? def.wrapped ?? def.in;
  if (inner !== undefined) return misfitOf(inner, path, seen);
  const element = def.element ?? def.item;
  if (element !== undefined) return misfitOf(element, `${path}[]`, seen);
  if (kind === 'union') {
    const all = def.options!.map((option) => misfitOf(option, path, seen));
    return all.includes(undefined) ? undefined : all[0];
  }
  for (const [name, member] of Object.entries(def.shape ?? def.entries ?? {})) {
    const isOptional = member._zod ? member._zod.optin : /optional|nullish/.test(member.type ?? '');
    const found = isOptional ? undefined : misfitOf(member, `${path}.${name}`, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The kinds that JSON does not have: no content, dates, and others. */
const MISFIT = /^(?:(void|undefined)|(date)|map|set|bigint|symbol|nan|function|promise|file|blob)$/;
