// The messages of a session as bytes: JSON, and the message that ends a session with an error.

import { type ErrorCode, type ErrorReason, TransportError } from '@trunkline/transport-core';
import { cleanText, ERROR_CODES, ERROR_REASONS } from '@trunkline/transport-core/backend';

/** Maximum length of an error's text from the other node, in characters. */
const LONGEST_TEXT = 1_024;

/** Encodes a message. */
export function encodeMessage(message: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

/** Encodes the end of a session. */
export function encodeEnd(error: TransportError | undefined): Uint8Array {
  return encodeMessage({
    type: 'end',
    code: error?.code,
    reason: error?.reason,
    text: error?.message.slice(0, LONGEST_TEXT),
  });
}

/**
 * Returns the message from another node as an unchecked value; throws `internal` if it isn't JSON.
 */
export function decodeMessage(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new TransportError('internal', "the other node sent a message that isn't JSON", {
      reason: 'malformed',
      cause: error,
    });
  }
}

/**
 * Returns the end of the session, with its error if it has one, if the message is an end; otherwise
 * undefined.
 */
export function readEnd(message: unknown): { readonly error?: TransportError } | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, code, reason, text } = message as Record<string, unknown>;
  if (type !== 'end') return undefined;
  if (typeof code !== 'string') return {};
  const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'unknown';
  const why =
    typeof reason === 'string' && Object.hasOwn(ERROR_REASONS, reason)
      ? (reason as ErrorReason)
      : undefined;
  const readable = cleanText(typeof text === 'string' ? text.slice(0, LONGEST_TEXT) : '');
  return { error: new TransportError(known, readable, { reason: why, origin: 'remote' }) };
}
