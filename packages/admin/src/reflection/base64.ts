// Conversion of bytes to base64 and back, because JSON carries bytes in this form.

import { TransportError } from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';

/** Returns bytes as base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK)
    text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text);
}

/**
 * Returns the bytes of base64, with or without padding. Throws `invalid_argument` for any other
 * text.
 */
export function fromBase64(text: string): Bytes {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new TransportError('invalid_argument', 'the text is not base64 (RFC 4648 §4)');
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/**
 * Bytes are converted in chunks of this size, because the number of arguments of a function call is
 * limited.
 */
const CHUNK = 8_192;
