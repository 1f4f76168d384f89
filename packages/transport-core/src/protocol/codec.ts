// The interface of codecs, which convert between values and bytes. Below are the codecs `bytes` and
// `empty`, the wrappers `limited` and `owned`, and the errors of codecs. Tested in codec.test.ts;
// the errors in refusal.test.ts.

import { integer, withDefault } from '../config.ts';
import { reasonError, stackless, TransportError, withDetails } from '../errors.ts';
import { type Bytes, cleanText, errorText, plain } from '../text.ts';

/**
 * Converts values into bytes and back. If they refuse their input, `encode` and `decode` throw a
 * TransportError: `invalid_argument`, or `resource_exhausted` with reason `too_large` for a message
 * above one of the codec's limits. Anything else that they throw counts as `invalid_argument`. A
 * call whose response either end refuses fails with `internal`, or with `too_large` as above.
 */
export interface Codec<Out, In = Out> {
  /**
   * The name shown in errors and tools: 'bytes', 'json', 'protobuf(raft.Append)'. Reflection
   * (package admin) recognizes the codecs of this package by their names, also at other nodes.
   */
  readonly name: string;
  /**
   * Maximum length, in bytes, of a message that `encode` produces and `decode` accepts; both must
   * check it. The transport checks only a request or response of several packets from a peer: if it
   * is longer, its call fails at its first packet, before memory is allocated for it; a one-way is
   * dropped. Without this member, only the transport's `limits` bound messages.
   */
  readonly limit?: number | undefined;
  /**
   * The schema or message type from which the codec was made: the Standard Schema of `json`, the
   * protobufjs type of `protobuf`. Only tools read it, to describe the messages to others.
   */
  readonly schema?: unknown;
  /**
   * True if nobody changes the bytes that `encode` has returned, so that they are never copied
   * before they are sent. Otherwise the program may change them once its call or write has settled.
   * Bytes of 64 KiB or more must not be changed if the call or write has failed or its connection
   * ended first, because the connection may still send what was written.
   */
  readonly owned?: boolean | undefined;
  /** Returns the bytes of a value. */
  encode(value: In): Uint8Array;
  /** Returns the value that the bytes from a peer represent. */
  decode(bytes: Uint8Array): Out;
}

// The codec that passes bytes through unchanged.

/** The type of `bytes`, so that declarations of protocols can name it. */
export interface BytesCodec extends Codec<Bytes, Uint8Array> {
  /** The name shown in errors and tools. */
  readonly name: 'bytes';
}

/**
 * Passes bytes through. `encode` takes any Uint8Array (including a Buffer). The program may change
 * it once the call or write has settled, with the exception at `Codec.owned`; an answer of 64 KiB
 * or more must not be changed anymore. `decode` returns a plain Uint8Array that may share memory
 * with other messages, so `slice()` the bytes that you keep for long. `Inbox` (rpc/inbox.ts)
 * bypasses each codec that has this `decode`, such as `owned(bytes)`.
 */
export const bytes: BytesCodec = Object.freeze({
  name: 'bytes',
  encode(value: Uint8Array): Uint8Array {
    if (value instanceof Uint8Array) return value;
    throw refusal('bytes', '', `expected a Uint8Array, got ${kindOf(value)}`);
  },
  decode: plain,
});

// limited adds a size limit to a codec.

/** A codec with a limit. */
export type Limited<C> = C & {
  /** The maximum length of a message in bytes. */
  readonly limit: number;
};

/**
 * Returns a codec that refuses messages of more than `limit` bytes at either end, with
 * `resource_exhausted` (reason `too_large`). A longer message from a peer is not decoded.
 */
export function limited<C extends Codec<any, any>>(codec: C, limit: number): Limited<C> {
  const check = (bytes: Uint8Array): Uint8Array => {
    if (bytes.length <= limit) return bytes;
    const text = `a message of ${bytes.length} bytes is above the limit of its codec (${codec.name}), ${limit}`;
    throw reasonError('too_large', text);
  };
  return Object.freeze({
    ...codec,
    name: codec.name, // A codec may be an instance of a class.
    schema: codec.schema,
    owned: codec.owned,
    limit,
    encode: (value: unknown) => check(codec.encode(value)),
    decode: (encoded: Uint8Array) => codec.decode(check(encoded)),
  });
}

// The codec of methods whose request or response has no content.

/**
 * The codec of no content: `request: empty` or `response: empty`. The value is undefined, so
 * `client.ping()` needs no argument, and a handler returns nothing. It is sent as zero bytes; both
 * ends refuse anything else with `invalid_argument`.
 */
export const empty: Codec<void> = Object.freeze({
  name: 'empty',
  owned: true,
  encode(value: void): Uint8Array {
    if (value === undefined) return NOTHING;
    throw refusal('empty', '', `expected undefined, got ${kindOf(value)}`);
  },
  decode(bytes: Uint8Array): void {
    if (bytes.length > 0)
      throw refusal('empty', '', `expected no content, got ${bytes.length} bytes`);
  },
});

const NOTHING = new Uint8Array(0);

// owned marks a codec whose bytes the transport may keep.

/**
 * Returns a codec whose bytes belong to Trunkline once it has encoded a value: they are never
 * copied before they are sent, and the program must not change them anymore. `owned(bytes)` is for
 * bytes that the program makes anew for each message.
 */
export function owned<C extends Codec<any, any>>(codec: C): C {
  if (Object.getPrototypeOf(codec) === Object.prototype)
    return Object.freeze({ ...codec, owned: true });
  // An instance of a class.
  const { name, limit, schema } = codec;
  return Object.freeze({
    ...codec,
    ...{ name, limit, schema, owned: true },
    encode: (value: unknown) => codec.encode(value),
    decode: (encoded: Uint8Array) => codec.decode(encoded),
  });
}

// Errors of codecs. Each knows the path inside the value, so that the caller of the codec can
// prefix the name of the value.

/**
 * Returns a codec's `invalid_argument` error: 'json: value.entries[3].term: expected JSON, got a
 * function'.
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
 * defaults: the bytes of a message, and the values in it.
 */
export function limitOptions(limit: number, values: number) {
  const count = integer(1, Number.MAX_SAFE_INTEGER);
  return { limit: withDefault(count, limit), values: withDefault(count, values) };
}

/** Thrown for an asynchronous schema, which is a mistake of the program. */
export class AsyncSchemaError extends TypeError {}

/** The maximum number of characters in a path in an error. */
const LONGEST_PATH = 512;

/**
 * A property of an error: the work units (session-context.ts) that the refusal cost, if that is
 * more than the message's size suggests. `Inbox` charges them to the peer.
 */
export const WORK = Symbol.for('trunkline.work');

/** Returns the `WORK` of an error; 0 if it has none. */
export function workOf(error: unknown): number {
  return (error as { [WORK]?: number })[WORK] ?? 0;
}

/** A property of an error: the path inside the value and the problem. */
const WHERE = Symbol.for('trunkline.where');

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

// Encodes and decodes a method's messages with its codec, and adds the name of the refused value to
// the codec's errors. The bytes codec is bypassed. `Inbox` decodes requests without `decodeAs`, but
// converts the errors with `decodingError`.

/**
 * Encodes a value. An error of `refusal` or `oversize` then names the value: with `what`
 * 'raft/append request', the message begins 'raft/append request.entries[3].term: …'. A
 * TransportError of another codec keeps its message. All errors are TransportErrors, except for
 * mistakes in the program, which cause a TypeError: an asynchronous schema, or a codec that does
 * not return a Uint8Array.
 */
export function encodeAs<In>(codec: Codec<any, In>, what: string, value: In): Uint8Array {
  if (codec === (bytes as Codec<any, any>) && value instanceof Uint8Array) return value;
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
  if (codec === (bytes as Codec<any, any>)) return encoded as Out;
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

const make: typeof stackless = (...details) => new TransportError(...details);

/**
 * Returns the error for a value that its codec refused. An error of our own codecs has the place in
 * the value (`WHERE`) and the cost of finding it (`WORK`); any other TransportError is copied with
 * its message, and the copy has a stack trace.
 * @param create makes an error with a stack trace for a program's mistake, and without one for a
 * peer's.
 */
function refused(
  codec: Codec<any, any>,
  what: string,
  error: unknown,
  create: typeof stackless,
): TransportError {
  if (!(error instanceof TransportError)) {
    const text = cleanText(errorText(error));
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
