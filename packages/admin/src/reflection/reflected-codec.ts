// Codecs that are made from descriptions. Their values are JSON: bytes are base64, and protobuf
// messages have the JSON form that protobuf defines.

import { bytes, type Codec, empty, json, TransportError } from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import { fromBase64, toBase64 } from './base64.ts';
import type { JsonSchema, JsonValue, MessageDescription } from './description.ts';
import type { DescribedMessages } from './protobuf/read-descriptors.ts';
import { unknownField } from './unknown-field.ts';

/** Options of codecs made from descriptions. */
export interface ReflectedProtocolOptions {
  /**
   * True to send JSON members that the schema does not list. Default false: they are refused with
   * `invalid_argument`, because most are typing mistakes that the receiver would ignore.
   */
  readonly allowUnknownFields?: boolean | undefined;
}

/** Returns the codec of a message. `messages` has the protobuf messages of its protocol. */
export function reflectedCodec(
  { codec: name, limit = LARGEST, schema, type, descriptors }: MessageDescription,
  messages: DescribedMessages | undefined,
  { allowUnknownFields = false }: ReflectedProtocolOptions,
): Codec<JsonValue> {
  const size = Math.max(1, Math.min(Math.floor(limit), LARGEST));
  if (name === 'empty') return emptyCodec;
  if (name === 'json') return jsonCodec(size, allowUnknownFields ? {} : (schema ?? {}));
  if (messages === undefined || type === undefined || descriptors === undefined)
    return base64Codec(name, size);
  return protobufCodec(name, size, messages, descriptors, type, allowUnknownFields);
}

function jsonCodec(limit: number, schema: JsonSchema): Codec<JsonValue> {
  // The node checks what it receives against its own schema.
  const any = {
    '~standard': {
      version: 1 as const,
      vendor: 'trunkline',
      validate: (value: unknown) => ({ value: value as JsonValue }),
    },
  };
  const codec = json(any, { limit, values: MOST_VALUES }) as Codec<JsonValue>;
  return {
    ...codec,
    encode(value) {
      // The codec refuses a value that is too deep to look for unknown fields in it.
      const encoded = codec.encode(value);
      const unknown = unknownField(schema, value);
      if (unknown === undefined) return encoded;
      throw unknownError('json', unknown.path, unknown.known);
    },
  };
}

/** No content, as JSON: null. */
const emptyCodec: Codec<JsonValue> = {
  name: 'empty',
  encode: (value) => empty.encode((value ?? undefined) as undefined),
  decode: (encoded) => empty.decode(encoded) ?? null,
};

function protobufCodec(
  name: string,
  limit: number,
  messages: DescribedMessages,
  set: number,
  typeName: string,
  ignoreUnknownFields: boolean,
): Codec<JsonValue> {
  const type = messages.type(set, typeName);
  const { protojson } = messages;
  const codec = protobuf<object>(type, { limit, values: MOST_VALUES });
  return {
    name,
    limit,
    encode(value) {
      let message: object;
      try {
        message = protojson.fromJson(type, value, { ignoreUnknownFields });
      } catch (error) {
        throw new TransportError('invalid_argument', `${name}: ${(error as Error).message}`, {
          cause: error,
        });
      }
      return codec.encode(message);
    },
    decode: (encoded) => protojson.toJson(type, codec.decode(encoded)),
  };
}

function base64Codec(name: string, limit: number): Codec<JsonValue> {
  return {
    name,
    limit,
    encode(value) {
      if (typeof value === 'string') return bytes.encode(fromBase64(value));
      throw new TransportError(
        'invalid_argument',
        `${name}: expected the bytes of the message as base64 in a string`,
      );
    },
    decode: (encoded) => toBase64(encoded),
  };
}

function unknownError(codec: string, path: string, known: readonly string[]): TransportError {
  const list = known.length === 0 ? 'the message has no fields' : `known here: ${known.join(', ')}`;
  return new TransportError('invalid_argument', `${codec}: value${path}: unknown field; ${list}`);
}

/** Maximum size of a message in bytes if its description has no limit or a higher one. */
const LARGEST = 64 * 1024 * 1024;
const MOST_VALUES = 4_000_000;
