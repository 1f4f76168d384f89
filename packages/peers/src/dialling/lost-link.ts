// What an error says about dialling again.

import type { Reason, TransportError } from '@trunkline/transport-core';

/** Was it chance, and no quarrel? Then who was lost is welcome at once (Tendermint's ErrTransientErr). */
export function isTransient({ reason, code }: TransportError): boolean {
  return reason === undefined ? code === 'unavailable' : TRANSIENT.has(reason);
}

/** The peer there has no use for us, or is another: trying soon can't help. */
export function isPointless({ reason }: TransportError): boolean {
  return reason !== undefined && POINTLESS.has(reason);
}

const TRANSIENT: ReadonlySet<Reason> = new Set<Reason>(['reset', 'ping_timeout', 'dial_timeout', 'handshake_timeout', 'closed']);
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
