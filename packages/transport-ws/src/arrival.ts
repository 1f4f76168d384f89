// A TCP connection that has not become a WebSocket yet: its handshake slot, and the identity that
// mutual TLS established for it. Its holder, own-server.ts and then upgrades.ts, either hands both
// over with the WebSocket or calls `leave`. Tested in handshakes.test.ts.

import type { Socket } from 'node:net';
import type { TransportError } from '@trunkline/transport-core';
import {
  formatHostPort,
  type HandshakeSlot,
  inMs,
  reasonError,
} from '@trunkline/transport-core/backend';
import type { TlsConnection } from '@trunkline/transport-core/node';

export interface Arrival {
  readonly secured?: TlsConnection | undefined;
  readonly slot?: HandshakeSlot | undefined;
}

/**
 * Abandons a connection that does not become a WebSocket: stops watching the trust in its node, and
 * frees its handshake slot. If the connection has a slot, the transport reports `error` (if given).
 * Does not close the socket.
 */
export function leave({ secured, slot }: Arrival, error?: TransportError): void {
  secured?.release();
  slot?.leave(error);
}

/**
 * Returns the other end's address, for error messages and for limits per source. All sockets that
 * have already closed count as one source.
 *
 * @param client the IP address of the client, if the socket may be that of a proxy.
 */
export function endpointOf({ remoteAddress, remotePort }: Socket, client?: string): string {
  if (remoteAddress === undefined) return 'a peer that is gone';
  const endpoint = formatHostPort(remoteAddress, remotePort ?? 0);
  if (client === undefined) return endpoint;
  const address = formatHostPort(client, 0).slice(0, -2); // without the port, which is not known
  return endpoint.startsWith(`${address}:`) ? endpoint : address;
}

/**
 * Creates the error for a connection that was not upgraded within the handshake timeout
 * (milliseconds): its request did not arrive, or the request waited for a handshake slot or for the
 * option `upgrade`.
 */
export function tooLate(endpoint: string, timeout: number): TransportError {
  const message = `Connection with ${endpoint}: its WebSocket upgrade was not complete after ${inMs(timeout)} (handshakeTimeout)`;
  return reasonError('handshake_timeout', message, { target: endpoint });
}

/**
 * Creates the error for a connection that ended before it was a WebSocket, and so wasted a
 * handshake slot and perhaps a costly TLS handshake.
 */
export function endedEarly(endpoint: string, when: string): TransportError {
  const message = `Connection with ${endpoint}: it ended ${when}`;
  return reasonError('reset', message, { target: endpoint });
}
