// Plain node:tls, as strict as Trunkline: version 1.3, certificates on both sides, no session
// resumption.

import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  connect,
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { type Role, tlsOf } from './nodes.ts';

/** Listens on a free port of loopback. */
export async function listenTls(
  accept: (socket: TLSSocket) => void,
): Promise<{ server: Server; port: number }> {
  const server = createServer(
    { ...(await contextOf('server')), requestCert: true, rejectUnauthorized: true, noDelay: true },
    accept,
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** Returns a function that dials such a server. The context is made once per process. */
export async function tlsDialer(): Promise<(port: number) => Promise<TLSSocket>> {
  const context = await contextOf('client');
  return async (port) => {
    // Trunkline trusts keys instead of host names.
    const socket = connect({
      ...context,
      port,
      host: '127.0.0.1',
      checkServerIdentity: () => undefined,
    });
    socket.setNoDelay(true);
    await once(socket, 'secureConnect');
    return socket;
  };
}

async function contextOf(role: Role): Promise<SecureContextOptions> {
  const { key, cert, ca } = (await tlsOf(role)) as { key: string; cert: string; ca: string };
  return {
    key,
    cert,
    ca,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    secureOptions: SSL_OP_NO_TICKET,
  };
}

const { SSL_OP_NO_TICKET } = constants;
