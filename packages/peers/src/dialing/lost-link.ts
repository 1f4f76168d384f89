// Classifies errors by whether and how soon to dial again.

import type { Reason, TransportError } from '@trunkline/transport-core';

/**
 * Returns whether a connection was lost by chance rather than on purpose, so that the peer may be
 * dialed again at once (Tendermint's ErrTransientErr).
 */
export function isTransient({ reason, code }: TransportError): boolean {
  return reason === undefined ? code === 'unavailable' : TRANSIENT.has(reason);
}

/**
 * Returns whether the peer refuses us or is another node, so that dialing again soon can't help.
 */
export function isPointless({ reason }: TransportError): boolean {
  return reason !== undefined && POINTLESS.has(reason);
}

const TRANSIENT: ReadonlySet<Reason> = new Set<Reason>([
  'reset',
  'ping_timeout',
  'dial_timeout',
  'handshake_timeout',
  'closed',
]);
const POINTLESS: ReadonlySet<Reason> = new Set<Reason>([
  'identity_mismatch',
  'duplicate',
  'full',
  'denied',
  'refused',
  'wrong_network',
  'wrong_version',
  'bad_certificate',
]);
