// How a codec refuses: one error that knows the path inside the value, so that whoever called the codec can say where that value stood (message.ts).

import { TransportError } from '../errors.ts';
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

/** A schema that answers asynchronously: a mistake in a program, never the value's fault. */
export class AsyncSchemaError extends TypeError {
  static {
    Object.defineProperty(AsyncSchemaError.prototype, 'name', { value: 'TypeError', configurable: true, writable: true });
  }
}

/** Characters of a path that are shown. */
const LONGEST_PATH = 512;

/** Where inside the value a refusal was, and why: a property of the error. */
export const WHERE = Symbol.for('trunkline.where');
