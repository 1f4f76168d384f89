// Encodes and decodes a method's messages with its codec, and adds the name of the refused value to
// the codec's errors. The bytes codec is bypassed.

import {
  type ErrorCode,
  stackless,
  TransportError,
  type TransportErrorOptions,
  withDetails,
} from '../errors.ts';
import { cleanText } from '../text.ts';
import { bytes, type Codec } from './codec.ts';
import { AsyncSchemaError, WHERE, WORK, workOf } from './refusal.ts';

/**
 * Encodes a value. If the codec refuses it, the error names the value: with `what` 'raft.append
 * request', the message begins 'raft.append request.entries[3].term: …'. All errors are
 * TransportErrors, except that an asynchronous schema causes a TypeError.
 */
export function encodeAs<In>(codec: Codec<any, In>, what: string, value: In): Uint8Array {
  return codec === (bytes as Codec<any, any>) && value instanceof Uint8Array
    ? value
    : encodeWith(codec, what, value);
}

function encodeWith<In>(codec: Codec<any, In>, what: string, value: In): Uint8Array {
  let encoded: Uint8Array;
  try {
    encoded = codec.encode(value);
  } catch (error) {
    if (error instanceof AsyncSchemaError) throw new AsyncSchemaError(`${what}: ${error.message}`);
    throw refused(codec, what, error, make);
  }
  if (encoded instanceof Uint8Array) return encoded;
  throw new TypeError(`${what}: the codec '${codec.name}' must encode to a Uint8Array`);
}

/**
 * Decodes bytes from a session, which are a plain Uint8Array, and names the value in errors as
 * `encodeAs` does. It throws TransportErrors only; an asynchronous schema is `internal`.
 */
export function decodeAs<Out>(codec: Codec<Out, any>, what: string, encoded: Uint8Array): Out {
  return codec === (bytes as Codec<any, any>) ? (encoded as Out) : decodeWith(codec, what, encoded);
}

function decodeWith<Out>(codec: Codec<Out, any>, what: string, encoded: Uint8Array): Out {
  try {
    return codec.decode(encoded);
  } catch (error) {
    throw decodingError(codec, what, error);
  }
}

/** Converts a value that a codec threw into the error that `decodeAs` throws. */
export function decodingError(
  codec: Codec<any, any>,
  what: string,
  error: unknown,
): TransportError {
  return error instanceof AsyncSchemaError
    ? new TransportError('internal', `${what}: ${error.message}`)
    : refused(codec, what, error, stackless);
}

function make(code: ErrorCode, message: string, options: TransportErrorOptions): TransportError {
  return new TransportError(code, message, options);
}

/**
 * Returns the error for a value that its codec refused. An error of our own codecs has the place in
 * the value (`WHERE`) and the cost of finding it (`WORK`); any other TransportError keeps its
 * message.
 * @param create makes an error with a stack trace for a program's mistake, and without one for a
 * peer's.
 */
function refused(
  codec: Codec<any, any>,
  what: string,
  error: unknown,
  create: typeof make,
): TransportError {
  if (!(error instanceof TransportError)) {
    const text = cleanText(error instanceof Error ? error.message : String(error));
    return create('invalid_argument', `${what}: the codec '${codec.name}' refused it: ${text}`, {
      cause: error,
    });
  }
  const where = (error as TransportError & { [WHERE]?: string })[WHERE];
  if (where === undefined) return withDetails(error, { cause: error });
  const named = create(error.code, `${what}${where}`, { reason: error.reason, cause: error.cause });
  const work = workOf(error);
  if (work > 0) Object.defineProperty(named, WORK, { value: work });
  return named;
}
