// The transfer of a snapshot: the sender cuts it into items, and the receiver joins them.

import { Buffer } from 'node:buffer';
import { TransportError } from '@trunkline/transport-core';

/** Cuts a snapshot into items; the transport takes the next one when there is room for it. */
export async function* chunks(data: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < data.length; start += CHUNK)
    yield data.subarray(start, start + CHUNK);
}

/**
 * Joins the items. Memory is allocated only as bytes arrive, and never for more than were
 * announced.
 */
export async function gather(upload: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  if (size > MAX_SNAPSHOT)
    throw new TransportError(
      'resource_exhausted',
      `a snapshot of ${size} bytes is above the limit of ${MAX_SNAPSHOT}`,
    );
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of upload) {
    length += part.length;
    parts.push(part);
    if (length > size) break;
  }
  if (length !== size)
    throw new TransportError(
      'invalid_argument',
      `a snapshot of ${size} bytes was announced, but ${length} arrived`,
    );
  return Buffer.concat(parts);
}

/** Bytes of an item: one packet. */
const CHUNK = 64 * 1024;
const MAX_SNAPSHOT = 256 * 1024 * 1024;
