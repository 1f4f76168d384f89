// How a codec refuses: one error that knows the path inside the value, so that whoever called the codec can say where that value stood (message.ts).

import { reasonError, TransportError } from '../errors.ts';
import { cleanText } from '../text.ts';

/**
 * The error `invalid_argument` of a codec: 'json: value.entries[3].term: expected a finite number, got NaN'.
 * @param path from the value on, as `member` writes it: '.entries[3].term'; empty for the value itself
 */
export function refusal(codec: string, path: string, problem: string, cause?: unknown): TransportError {
  // Either may be what a peer sent: its keys, or what a schema says of its values.
  const where = cleanText(`${path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path}: ${problem}`);
  const error = new TransportError('invalid_argument', `${codec}: value${where}`, { cause });
  Object.defineProperty(error, WHERE, { value: where });
  return error;
}

/**
 * The error `resource_exhausted`, reason `too_large`, of a codec whose limit a message passes.
 * @param problem how much it has, and the limit: 'has 5000000 bytes, above the limit of 4194304'
 * @param option what raises the limit: 'json(schema, { limit })'
 */
export function oversize(codec: string, problem: string, option: string): TransportError {
  const text = `: ${problem}; ${option} at both ends raises it`;
  const error = reasonError('too_large', `${codec}: value${text}`);
  Object.defineProperty(error, WHERE, { value: text });
  return error;
}

/** The limit as the codec's options give it. @throws TypeError unless it is an integer above 0. */
export function limitOf(codec: string, name: string, given: number | undefined, otherwise: number): number {
  const limit = given ?? otherwise;
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new TypeError(`${codec}: ${name}: must be an integer above 0, got ${String(limit)}`);
}

/** A schema that answers asynchronously: a mistake in a program, never the value's fault. */
export class AsyncSchemaError extends TypeError {
  static {
    Object.defineProperty(AsyncSchemaError.prototype, 'name', { value: 'TypeError', configurable: true, writable: true });
  }
}

/** Characters of a path that are shown. */
const LONGEST_PATH = 512;

/** Work units (session/work.ts) that a refusal has cost, if they are more than its bytes tell: a property of the error. */
export const WORK = Symbol.for('trunkline.work');

/** What `WORK` says of an error; 0 if it says nothing. */
export function workOf(error: unknown): number {
  return (error as { [WORK]?: number })[WORK] ?? 0;
}

/** Where inside the value a refusal was, and why: a property of the error. */
export const WHERE = Symbol.for('trunkline.where');
