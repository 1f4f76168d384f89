// The limits of plain calls, hand-written over node:net, and of secure ones, over node:tls with
// certificates on both sides.

import { constants } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { type Role, tlsOf } from '../secure/nodes.ts';
import type { Adapter, Adapters } from './adapter.ts';
import { attend, framed, limitCaller, type Open } from './limit.ts';
import { credited } from './limit-credit.ts';

/** Listens on loopback, and dials. */
export interface Sockets {
  listen(accept: (socket: Socket) => void): Promise<{ port: number; close(): void }>;
  dialer(): Promise<(port: number) => Promise<Socket>>;
}

export const plain: Sockets = {
  listen: (accept) => listening(createServer({ noDelay: true }, accept)),
  dialer: async () => async (port) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return socket;
  },
};

/** node:tls as strict as Trunkline: version 1.3, certificates on both sides, no resumption. */
export const secure: Sockets = {
  async listen(accept) {
    const checks = { requestCert: true, rejectUnauthorized: true, noDelay: true };
    return listening(tls.createServer({ ...(await contextOf('server')), ...checks }, accept));
  },
  async dialer() {
    // Trunkline trusts keys instead of host names.
    const options = { ...(await contextOf('client')), checkServerIdentity: () => undefined };
    return async (port) => {
      const socket = tls.connect({ ...options, port, host: '127.0.0.1' }).setNoDelay(true);
      await once(socket, 'secureConnect');
      return socket;
    };
  },
};

async function contextOf(role: Role): Promise<tls.SecureContextOptions> {
  const { key, cert, ca } = (await tlsOf(role)) as { key: string; cert: string; ca: string };
  const [minVersion, maxVersion] = ['TLSv1.3', 'TLSv1.3'] as const;
  return { key, cert, ca, minVersion, maxVersion, secureOptions: constants.SSL_OP_NO_TICKET };
}

/** Listens on a free port of loopback. */
async function listening(server: Server): Promise<{ port: number; close(): void }> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

export const adapters: Adapters = {
  'limit-net': over(plain, framed()),
  // Writes batches before the tick ends, so that both ends work at the same time.
  'limit-net-early': over(plain, framed(32)),
  // Limits the bytes in flight by credit, so that a small call waits only for what the receiver has
  // not taken yet.
  'limit-net-credit': over(plain, credited),
  'limit-tls': over(secure, framed()),
};

function over({ listen, dialer }: Sockets, open: Open): Adapter {
  return {
    serve: (answer) => accepting(listen, (socket) => attend(socket, answer, open)),
    connect: async (address) => limitCaller(await (await dialer())(Number(address)), open),
  };
}

/** Serves each socket until it is closed. */
export async function accepting(
  listen: Sockets['listen'],
  accept: (socket: Socket) => void,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = await listen((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    accept(socket);
  });
  return {
    address: String(server.port),
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
