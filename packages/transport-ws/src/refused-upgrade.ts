// Maps the HTTP status of a refused upgrade to a transport error. Only Node sees the status;
// browsers hide it from pages. Tested in upgrades.test.ts and upgrade-hook.test.ts.

import { TransportError } from '@trunkline/transport-core';
import { cleanText } from '@trunkline/transport-core/backend';
import { type CloseCodeMeaning, SUB_PROTOCOL } from './close-codes.ts';

/** Creates the error for a refused upgrade from its HTTP status and status text. */
export function refusalError(status: number, text: string, address: string): TransportError {
  const { as, reason, meaning } = codeOfStatus(status);
  return new TransportError(
    as,
    `Cannot connect to ${address}: ${meaning} (HTTP ${status} ${cleanText(text)})`,
    {
      reason,
      target: address,
      origin: 'remote',
      sent: false,
    },
  );
}

/**
 * Returns the meaning of any status but 101, as docs/wire-protocol.md §1 lists them. Used for the
 * status of a server, and for one with which the option `upgrade` refuses a client.
 */
export function codeOfStatus(status: number): CloseCodeMeaning {
  return status >= 500 ? UNAVAILABLE : (STATUSES[status] ?? OTHER);
}

const OTHER: CloseCodeMeaning = {
  as: 'failed_precondition',
  meaning: 'the server does not speak WebSocket',
};
const UNAVAILABLE: CloseCodeMeaning = {
  as: 'unavailable',
  meaning: 'the server cannot accept it now',
};

const STATUSES: Readonly<Record<number, CloseCodeMeaning>> = {
  400: {
    as: 'failed_precondition',
    reason: 'wrong_version',
    meaning: `the server refused the upgrade; check that it speaks ${SUB_PROTOCOL}`,
  },
  401: { as: 'unauthenticated', meaning: 'the server requires credentials' },
  403: {
    as: 'permission_denied',
    reason: 'denied',
    meaning: 'the server refuses this host (hosts), or this client',
  },
  404: { as: 'not_found', meaning: 'the server does not know this path' },
  429: UNAVAILABLE,
};
