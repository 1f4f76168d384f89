// The payloads of plain NATS services, encoded by the method's codecs.

import { type Codec, TransportError } from '@trunkline/transport-core';

/**
 * Returns the value of a request. JSON is only parsed here. The transport checks the value against
 * the schema when it sends the request, so that the schema may transform its input.
 *
 * @throws TransportError for JSON that is malformed (`invalid_argument`) or too long
 * (`resource_exhausted`), and the errors of other codecs.
 */
export function decodePayload(codec: Codec<any, any>, payload: Uint8Array): unknown {
  // The bytes are copied, because the transport takes ownership of them, and the messages of NATS
  // share memory.
  if (codec.name !== JSON_CODEC) return codec.decode(new Uint8Array(payload));
  if (payload.length > (codec.limit ?? Number.POSITIVE_INFINITY))
    throw new TransportError(
      'resource_exhausted',
      `The request has ${payload.length} bytes, above the limit of ${codec.limit}`,
      { reason: 'too_large' },
    );
  try {
    return JSON.parse(decoder.decode(payload));
  } catch (cause) {
    throw new TransportError('invalid_argument', 'The request is not JSON in UTF-8', { cause });
  }
}

/** Returns the payload of a response. */
export function encodePayload(codec: Codec<any, any>, value: unknown): Uint8Array {
  return codec.name === JSON_CODEC ? encoder.encode(JSON.stringify(value)) : codec.encode(value);
}

/** The name of the codecs that `json` returns. */
const JSON_CODEC = 'json';
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });
