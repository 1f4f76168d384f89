// Bare node:tls connections whose server echoes everything. Per connection, only the socket is
// kept.

import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { listenTls, tlsDialer } from '../secure/bare-tls.ts';
import { CALL } from './call.ts';
import type { Kind } from './kind.ts';

export const bareTls: Kind = {
  async serve(counts) {
    const sockets = new Set<TLSSocket>();
    const { server, port } = await listenTls((socket) => {
      counts.up++;
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        counts.down++;
        sockets.delete(socket);
      });
      socket.on('data', (chunk) => socket.write(chunk));
    });
    return {
      address: String(port),
      async close() {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    };
  },

  async connect(address) {
    const dial = await tlsDialer();
    const sockets = new Set<TLSSocket>();
    const holder = {
      lost: 0,
      async open() {
        const socket = await dial(Number(address));
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => holder.lost++);
        socket.write(CALL);
        await once(socket, 'data');
      },
      async close() {
        for (const socket of sockets) socket.destroy();
      },
    };
    return holder;
  },
};
