// A connection that has not become a WebSocket yet: its place in the doorway, and what TLS found out about it.

import type { Socket } from 'node:net';
import type { Secured } from '@trunkline/mutual-tls';
import { formatHostPort, type Pass, reasonError, type TransportError } from '@trunkline/transport-core';

export interface Arrival {
  readonly secured?: Secured | undefined;
  readonly pass?: Pass | undefined;
}

/** Gives up the place of a connection that does not become a WebSocket. With an error: the transport reports it. */
export function leave({ secured, pass }: Arrival, error?: TransportError): void {
  secured?.release();
  pass?.leave(error);
}

/** Returns the other end's address, for errors and for limits of each source. */
export function endpointOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? 'a peer that is gone' : formatHostPort(remoteAddress, remotePort ?? 0);
}

/** The error of a connection whose upgrade did not come within the time of a handshake. */
export function tooLate(endpoint: string, timeout: number): TransportError {
  return reasonError('handshake_timeout', `Connection with ${endpoint}: its WebSocket upgrade did not come within ${timeout} ms (handshakeTimeout)`, {
    target: endpoint,
  });
}
