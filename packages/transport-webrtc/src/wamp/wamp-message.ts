// The messages of WAMP v2 that the client uses: their numbers, the shape that a router's message
// must have, and the errors that its URIs stand for. See the WAMP specification, "Basic Profile".

import { type ErrorCode, TransportError } from '@trunkline/transport-core';
import { cleanText, reasonError } from '@trunkline/transport-core/backend';

/** The numbers of the messages. */
export const Wamp = {
  HELLO: 1,
  WELCOME: 2,
  ABORT: 3,
  GOODBYE: 6,
  ERROR: 8,
  CALL: 48,
  RESULT: 50,
  REGISTER: 64,
  REGISTERED: 65,
  UNREGISTER: 66,
  UNREGISTERED: 67,
  INVOCATION: 68,
  YIELD: 70,
} as const;

/** The error with which Babble's nodes refuse an offer. */
export const OFFER_ERROR = 'io.babble.processing_offer';
/** Maximum length of an error's text, in characters. */
const LONGEST_TEXT = 1_024;

/** A message from the router: its number and its other elements. */
export interface WampMessage {
  readonly type: number;
  readonly fields: readonly unknown[];
}

/** Returns a router's message; undefined if the text is not a message. */
export function parseWampMessage(text: unknown): WampMessage | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const [type, ...fields] = JSON.parse(text);
    return typeof type === 'number' ? { type, fields } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the error for a URI and arguments from the router or another node, all unchecked. The
 * error is `unavailable` if the URI is unknown or not a string.
 */
export function wampError(uri: unknown, args: unknown, target: string): TransportError {
  const name = typeof uri === 'string' ? cleanText(uri.slice(0, LONGEST_TEXT)) : '';
  const detail = Array.isArray(args) && typeof args[0] === 'string' ? args[0] : '';
  const text = cleanText(`${target}: ${name} ${detail}`.slice(0, LONGEST_TEXT).trim());
  if (name === 'wamp.error.no_such_procedure')
    return reasonError(
      'connection_refused',
      `Cannot connect to ${target}: no node is registered under this id`,
      { target },
    );
  if (name === 'wamp.error.procedure_already_exists')
    return reasonError(
      'address_in_use',
      `Cannot register ${target}: a node is registered under this id; close that one first`,
      { target },
    );
  return new TransportError(CODES_OF_URIS.get(name) ?? 'unavailable', text, {
    target,
    origin: 'remote',
  });
}

const CODES_OF_URIS: ReadonlyMap<string, ErrorCode> = new Map([
  ['wamp.error.not_authorized', 'permission_denied'],
  ['wamp.error.authorization_failed', 'permission_denied'],
  ['wamp.error.no_such_realm', 'not_found'],
  ['wamp.error.invalid_uri', 'invalid_argument'],
  ['wamp.error.invalid_argument', 'invalid_argument'],
  // fox-wamp replaces the node's error by this error.
  ['wamp.error.callee_failure', 'aborted'],
  [OFFER_ERROR, 'aborted'],
]);
