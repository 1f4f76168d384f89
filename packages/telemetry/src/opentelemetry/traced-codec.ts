// A codec for messages of gossip that carry the context of the span that published them.

import { type Codec, TransportError } from '@trunkline/transport-core';
import type { TraceContext } from './trace-context.ts';

/** A message with the context of the span that published it. */
export interface Traced<T> {
  readonly value: T;
  /** Absent if the publisher traced nothing. */
  readonly trace?: TraceContext | undefined;
}

/**
 * Returns a codec that puts the context of a span before the bytes of another codec. All nodes of a
 * topic must use it. Its `decode` throws `invalid_argument` for other bytes, and the errors of the
 * other codec; it does not check the context.
 */
export function traced<Out, In = Out>(codec: Codec<Out, In>): Codec<Traced<Out>, Traced<In>> {
  return {
    name: `traced(${codec.name})`,
    owned: true,
    limit: codec.limit === undefined ? undefined : codec.limit + HEAD + LONGEST,
    encode({ value, trace }) {
      const text = trace === undefined ? '' : `${trace.traceparent}\n${trace.tracestate ?? ''}`;
      const encoded = new TextEncoder().encode(text);
      const head = encoded.length <= LONGEST ? encoded : new Uint8Array();
      const payload = codec.encode(value);
      const bytes = new Uint8Array(HEAD + head.length + payload.length);
      bytes[0] = head.length >> 8;
      bytes[1] = head.length & 0xff;
      bytes.set(head, HEAD);
      bytes.set(payload, HEAD + head.length);
      return bytes;
    },
    decode(bytes) {
      const length = bytes.length < HEAD ? LONGEST + 1 : (bytes[0]! << 8) | bytes[1]!;
      const start = HEAD + length;
      if (length > LONGEST || start > bytes.length)
        throw new TransportError(
          'invalid_argument',
          'the message has no trace context before it: its publisher must use the codec traced()',
        );
      const value = codec.decode(bytes.subarray(start));
      if (length === 0) return { value };
      const text = new TextDecoder().decode(bytes.subarray(HEAD, start));
      const [traceparent = '', tracestate] = text.split('\n');
      return { value, trace: { traceparent, tracestate: tracestate || undefined } };
    },
  };
}

/** Size of the field that holds the context's length, in bytes. */
const HEAD = 2;
/**
 * Maximum size of a context in bytes: a traceparent has 55 bytes, and a tracestate at most 512. A
 * longer context is left out by `encode` and refused by `decode`.
 */
const LONGEST = 600;
