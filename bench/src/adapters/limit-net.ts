// The limits of plain calls, hand-written over node:net, and of secure ones, over node:tls with
// certificates on both sides.

import { constants } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { type Role, tlsOf } from '../secure/nodes.ts';
import type { Adapter, Adapters, Serving } from './adapter.ts';
import { Calls, framed, type Open } from './limit.ts';
import { credited } from './limit-credit.ts';

/** Sockets on loopback. A server's address is its port. */
export interface Sockets {
  /** Serves each socket until it is closed. */
  serve(accept: (socket: Socket) => void): Promise<Serving>;
  dial(address: string): Promise<Socket>;
}

export const plain: Sockets = {
  serve: (accept) => serving(createServer({ noDelay: true }), 'connection', accept),
  async dial(address) {
    const socket = connect({ port: Number(address), host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  },
};

/** node:tls as strict as Trunkline: version 1.3, certificates on both sides, no resumption. */
export const secure: Sockets = {
  async serve(accept) {
    const checks = { requestCert: true, rejectUnauthorized: true, noDelay: true };
    const server = tls.createServer({ ...(await contextOf('server')), ...checks });
    return serving(server, 'secureConnection', accept);
  },
  async dial(address) {
    const to = { port: Number(address), host: '127.0.0.1' };
    // Trunkline trusts keys instead of host names.
    const options = { ...(await contextOf('client')), checkServerIdentity: () => undefined };
    const socket = tls.connect({ ...options, ...to }).setNoDelay(true);
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  },
};

async function contextOf(role: Role): Promise<tls.SecureContextOptions> {
  const { key, cert, ca } = (await tlsOf(role)) as { key: string; cert: string; ca: string };
  const [minVersion, maxVersion] = ['TLSv1.3', 'TLSv1.3'] as const;
  return { key, cert, ca, minVersion, maxVersion, secureOptions: constants.SSL_OP_NO_TICKET };
}

async function serving(
  server: Server,
  event: 'connection' | 'secureConnection',
  accept: (socket: Socket) => void,
): Promise<Serving> {
  const sockets = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    accept(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: String((server.address() as AddressInfo).port),
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
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

function over({ serve, dial }: Sockets, open: Open): Adapter {
  return {
    serve: (answer) =>
      serve((socket) => {
        const wire = open(socket, (id, request) => wire.put(id, answer(request)));
      }),

    async connect(address) {
      const socket = await dial(address);
      const calls = new Calls((received) => open(socket, received));
      socket.on('close', () => calls.fail());
      return {
        call: (request) => calls.call(request),
        close: async () => void socket.destroy(),
      };
    },
  };
}
