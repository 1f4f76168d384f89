// The interface of codecs, the only place where values and bytes are converted into each other.

import { reasonError } from '../errors.ts';
import { type Bytes, plain } from '../plain.ts';
import { kindOf, refusal } from './refusal.ts';

/**
 * Converts values into bytes and back. If they refuse their input, `encode` and `decode` throw a
 * TransportError: `invalid_argument`, or `resource_exhausted` with reason `too_large` for a message
 * above one of the codec's limits.
 */
export interface Codec<Out, In = Out> {
  /** The name shown in errors and tools: 'bytes', 'json', 'protobuf(raft.Append)'. */
  readonly name: string;
  /**
   * Maximum length, in bytes, of a message that `encode` produces and `decode` accepts. If a peer
   * announces a longer request, it is refused at its first packet, before memory is allocated for
   * it. Without this member, only the transport's `limits` bound messages.
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
 * it once the call or write has settled; an answer of 64 KiB or more must not be changed anymore.
 * `decode` returns a plain Uint8Array that may share memory with
 * other messages, so `slice()` the bytes that you keep for long.
 */
export const bytes: BytesCodec = Object.freeze({
  name: 'bytes',
  encode(value: Uint8Array): Uint8Array {
    if (value instanceof Uint8Array) return value;
    throw refusal('bytes', '', `expected a Uint8Array, got ${kindOf(value)}`);
  },
  decode: plain,
});

// Adds a size limit to a codec.

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
    throw reasonError(
      'too_large',
      `a message of ${bytes.length} bytes is above the limit of its codec (${codec.name}), ${limit}`,
    );
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

// Hands memory over to the transport.

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
