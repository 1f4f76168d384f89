// Errors of codecs. Each knows the path inside the value, so that the caller of the codec can
// prefix the name of the value (message.ts).

import { reference, withDefault } from '../config.ts';
import { reasonError, TransportError } from '../errors.ts';
import { cleanText } from '../text.ts';

/**
 * Returns a codec's `invalid_argument` error: 'json: value.entries[3].term: expected a finite
 * number, got NaN'.
 *
 * @param path inside the value, as `member` writes it: '.entries[3].term'; empty for the value
 * itself
 */
export function refusal(
  codec: string,
  path: string,
  problem: string,
  cause?: unknown,
): TransportError {
  // The path and the problem may contain a peer's data: keys, or a schema's message about values.
  const where = cleanText(
    `${path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path}: ${problem}`,
  );
  const error = new TransportError('invalid_argument', `${codec}: value${where}`, { cause });
  Object.defineProperty(error, WHERE, { value: where });
  return error;
}

/**
 * Returns a codec's error for a message above one of its limits: `resource_exhausted` (reason
 * `too_large`).
 *
 * @param problem the actual size and the limit: 'has 5000000 bytes, above the limit of 4194304'
 * @param option the option that raises the limit: 'json(schema, { limit })'
 */
export function oversize(codec: string, problem: string, option: string): TransportError {
  const text = `: ${problem}; raise it with ${option} at both ends`;
  const error = reasonError('too_large', `${codec}: value${text}`);
  Object.defineProperty(error, WHERE, { value: text });
  return error;
}

/**
 * Returns the schema of a codec's options: its limits, which are integers above 0, with these
 * defaults.
 */
export function limitOptions(limit: number, values: number) {
  const count = reference<number>(
    (value) => Number.isInteger(value) && (value as number) > 0,
    'an integer above 0',
  );
  return { limit: withDefault(count, limit), values: withDefault(count, values) };
}

/** Thrown for an asynchronous schema: a programming mistake, independent of the value. */
export class AsyncSchemaError extends TypeError {
  static {
    Object.defineProperty(AsyncSchemaError.prototype, 'name', {
      value: 'TypeError',
      configurable: true,
      writable: true,
    });
  }
}

/** The maximum number of characters in a path in an error. */
const LONGEST_PATH = 512;

/**
 * A property of an error: the work units (session/work.ts) that the refusal cost, if that is more
 * than the message's size suggests.
 */
export const WORK = Symbol.for('trunkline.work');

/** Returns the `WORK` of an error; 0 if it has none. */
export function workOf(error: unknown): number {
  return (error as { [WORK]?: number })[WORK] ?? 0;
}

/** A property of an error: the path inside the value and the problem. */
export const WHERE = Symbol.for('trunkline.where');

// Short one-line descriptions of any value, for error messages.

/** Describes a value in a few words: 'a Date', 'NaN', 'undefined', 'a string'. Never throws. */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'number':
      return Number.isFinite(value) ? 'a number' : String(value);
    case 'object':
      return value === null ? 'null' : article(className(value));
    default:
      return `a ${typeof value}`;
  }
}

/**
 * Returns one step of a path into a value, as in source code: `.entries`, `[3]` or `["odd key"]`.
 */
export function member(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`;
  if (typeof key === 'symbol') return `[${String(key)}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]{0,63}$/u.test(key) ? `.${key}` : `[${quote(key)}]`;
}

/** Returns text in double quotes, escaped, and cut after `length` characters. */
export function quote(text: string, length = 64): string {
  return JSON.stringify(text.length > length ? `${text.slice(0, length)}…` : text);
}

function className(value: object): string {
  try {
    if (Array.isArray(value)) return 'array';
    const prototype: object | null = Object.getPrototypeOf(value);
    const name: unknown = prototype?.constructor?.name;
    return typeof name === 'string' &&
      /^[\p{L}_$][\p{L}\p{N}_$]{0,63}$/u.test(name) &&
      name !== 'Object'
      ? name
      : 'object';
  } catch {
    return 'object';
  }
}

function article(name: string): string {
  return `${/^[aeiouAEIOU]/.test(name) && !/^U(?!n)/.test(name) ? 'an' : 'a'} ${name}`;
}
