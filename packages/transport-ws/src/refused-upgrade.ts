// The HTTP statuses of a refused upgrade as errors of ours. Only Node sees them: a browser keeps them to itself.

import { cleanText, TransportError } from '@trunkline/transport-core';
import { type Meaning, SUB_PROTOCOL } from './close-codes.ts';

/** Why an upgrade was refused, by its HTTP status and the line beside it. */
export function refusalError(status: number, text: string, address: string): TransportError {
  const { as, reason, meaning } = status >= 500 ? UNAVAILABLE : (STATUSES[status] ?? { as: 'failed_precondition', meaning: 'nothing there speaks WebSocket' });
  return new TransportError(as, `Cannot connect to ${address}: ${meaning} (HTTP ${status} ${cleanText(text)})`, {
    reason,
    target: address,
    origin: 'remote',
    sent: false,
  });
}

const UNAVAILABLE: Meaning = { as: 'unavailable', meaning: 'the server there can not take it now' };

const STATUSES: Readonly<Record<number, Meaning>> = {
  400: { as: 'failed_precondition', reason: 'wrong_version', meaning: `the server there refused the upgrade; does it speak ${SUB_PROTOCOL}?` },
  401: { as: 'unauthenticated', meaning: 'the server there wants credentials' },
  403: { as: 'permission_denied', reason: 'denied', meaning: 'the server there refuses this origin or host (origins, hosts)' },
  404: { as: 'not_found', meaning: 'the server there knows no such path' },
  429: UNAVAILABLE,
};
