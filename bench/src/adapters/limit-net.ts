// The limits of plain calls, hand-written over node:net, and of secure ones, over node:tls with
// certificates on both sides.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { listenTls, tlsDialer } from '../secure/bare-tls.ts';
import type { Adapter, Adapters } from './adapter.ts';
import { attend, framed, limitCaller, type Open } from './limit.ts';
import { credited } from './limit-credit.ts';

/** Listens on loopback, and dials. */
export interface Sockets {
  listen(accept: (socket: Socket) => void): Promise<{ port: number; close(): void }>;
  dialer(): Promise<(port: number) => Promise<Socket>>;
}

export const plain: Sockets = {
  async listen(accept) {
    const server = createServer({ noDelay: true }, accept);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { port: (server.address() as AddressInfo).port, close: () => server.close() };
  },
  dialer: async () => async (port) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return socket;
  },
};

export const secure: Sockets = {
  async listen(accept) {
    const { server, port } = await listenTls(accept);
    return { port, close: () => server.close() };
  },
  dialer: tlsDialer,
};

export const adapters: Adapters = {
  'limit-net': over(plain, framed()),
  // Writes batches before the tick ends, so that both ends work at the same time.
  'limit-net-early': over(plain, framed({ most: 32 })),
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
