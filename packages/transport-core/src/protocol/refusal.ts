// How a codec refuses: one error that knows the path inside the value, so that whoever called the codec can say where that value stood.

import { TransportError, withDetails } from '../errors.ts';
import type { Codec } from './codec.ts';

/**
 * The error `invalid_argument` of a codec: 'json: value.entries[3].term: expected a finite number, got NaN'.
 * @param path from the value on, as `member` writes it: '.entries[3].term'; empty for the value itself
 */
export function refusal(codec: string, path: string, problem: string, cause?: unknown): TransportError {
  const error = new TransportError('invalid_argument', `${codec}: value${path}: ${problem}`, { cause });
  Object.defineProperty(error, WHERE, { value: `${path}: ${problem}` });
  return error;
}

/** A schema that answers asynchronously: a mistake in a program, never the value's fault. */
export class AsyncSchemaError extends TypeError {
  static {
    Object.defineProperty(AsyncSchemaError.prototype, 'name', { value: 'TypeError', configurable: true, writable: true });
  }
}

/**
 * Encodes, and names the value where its codec refuses it: with `what` 'raft.append request' the message begins
 * 'raft.append request.entries[3].term: …'. Whatever a codec throws leaves as a TransportError, but for a schema that answers
 * asynchronously: that is a TypeError.
 */
export function encodeAs<In>(codec: Codec<any, In>, what: string, value: In): Uint8Array {
  let encoded: Uint8Array;
  try {
    encoded = codec.encode(value);
  } catch (error) {
    if (error instanceof AsyncSchemaError) throw new AsyncSchemaError(`${what}: ${error.message}`);
    throw refused(codec, what, error);
  }
  if (encoded instanceof Uint8Array) return encoded;
  throw new TypeError(`${what}: the codec '${codec.name}' must encode to a Uint8Array`);
}

/** Decodes, and names the value likewise. It throws TransportErrors alone: a schema that answers asynchronously is `internal`. */
export function decodeAs<Out>(codec: Codec<Out, any>, what: string, encoded: Uint8Array): Out {
  try {
    return codec.decode(encoded);
  } catch (error) {
    if (error instanceof AsyncSchemaError) throw new TransportError('internal', `${what}: ${error.message}`);
    throw refused(codec, what, error);
  }
}

const WHERE = Symbol.for('trunkline.where');

function refused(codec: Codec<any, any>, what: string, error: unknown): TransportError {
  if (!(error instanceof TransportError)) {
    const text = error instanceof Error ? error.message : String(error);
    return new TransportError('invalid_argument', `${what}: the codec '${codec.name}' refused it: ${text}`, { cause: error });
  }
  const where = (error as TransportError & { [WHERE]?: string })[WHERE];
  if (where === undefined) return withDetails(error, { cause: error });
  return new TransportError(error.code, `${what}${where}`, { cause: error.cause });
}
