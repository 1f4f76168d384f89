// Maps WebSocket close codes to transport errors. Code 1006 (no close frame) has another meaning in
// ws-connection.ts after its own close, and in native-stream-layer.ts when a dial fails.
// documents.test.ts compares the codes with the table of docs/wire-protocol.md §1;
// ws-connection.test.ts tests their errors.

import type { ErrorCode, ErrorReason, TransportError } from '@trunkline/transport-core';
import { cleanText, reasonError, stackless } from '@trunkline/transport-core/backend';

/**
 * The subprotocol that both ends must name: the byte stream of docs/wire-protocol.md, version 1 of
 * this mapping.
 */
export const SUB_PROTOCOL = 'trunkline.v1';

/**
 * The close code that this end sends when it receives a text message: RFC 6455, "a type of data it
 * cannot accept".
 */
export const UNSUPPORTED_DATA = 1003;
/** The violation that is closed with it. */
export const TEXT = 'a text message, but only binary messages are accepted';
export const NORMAL = 1000;
/**
 * A close code from the application range. A page sends it instead of a TCP reset, which a page
 * cannot send.
 */
export const CUT = 4000;

/**
 * Returns the error that a close code stands for, or undefined if the connection was closed
 * normally: with 1000, with 1001 (the page or the server goes away), or with 1005, a close frame
 * without a code. Code 1006 (no close frame at all) means `reset`.
 */
export function closeError(
  code: number,
  text: string,
  endpoint: string,
): TransportError | undefined {
  if (code === NORMAL || code === 1001 || code === 1005) return undefined;
  const { as, reason, meaning } = CLOSE_CODES[code] ?? {
    as: 'unavailable',
    reason: 'closed',
    meaning: 'the other end closed the connection',
  };
  const said = text === '' ? '' : `: ${cleanText(text)}`;
  return stackless(as, `Connection with ${endpoint}: ${meaning} (close code ${code}${said})`, {
    reason,
    target: endpoint,
    origin: code === 1006 ? 'local' : 'remote',
  });
}

/** Creates the error for a peer that violated RFC 6455 or our limits. */
export function violationError(
  code: string | undefined,
  text: string,
  endpoint: string,
): TransportError {
  const reason = code === undefined ? undefined : VIOLATIONS[code];
  return reasonError(
    reason ?? 'malformed',
    `Connection with ${endpoint}: the other end violated the WebSocket protocol: ${text}`,
    { target: endpoint },
  );
}

/** The meaning of a close code: error code, reason and text. */
export interface CloseCodeMeaning {
  as: ErrorCode;
  reason?: ErrorReason;
  meaning: string;
}

const MALFORMED = 'the other end reported that this end sent malformed data';

const CLOSE_CODES: Readonly<Record<number, CloseCodeMeaning>> = {
  1002: { as: 'internal', reason: 'malformed', meaning: MALFORMED },
  1003: {
    as: 'internal',
    reason: 'malformed',
    meaning: 'the other end does not accept messages of this type',
  },
  1006: { as: 'unavailable', reason: 'reset', meaning: 'it ended without a close frame' },
  1007: { as: 'internal', reason: 'malformed', meaning: MALFORMED },
  1008: {
    as: 'permission_denied',
    reason: 'denied',
    meaning: 'a policy of the other end forbids it',
  },
  1009: {
    as: 'resource_exhausted',
    reason: 'too_large',
    meaning: 'the other end does not accept messages of this size',
  },
  1011: { as: 'unavailable', reason: 'closed', meaning: 'the other end failed' },
  1012: { as: 'unavailable', reason: 'closed', meaning: 'the other end is restarting' },
  1013: { as: 'unavailable', reason: 'closed', meaning: 'the other end is overloaded; try later' },
  [CUT]: { as: 'unavailable', reason: 'reset', meaning: 'the other end reset the connection' },
  1015: { as: 'unauthenticated', reason: 'bad_certificate', meaning: 'the TLS handshake failed' },
};

const VIOLATIONS: Readonly<Record<string, ErrorReason>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'too_large',
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 'flood',
};
