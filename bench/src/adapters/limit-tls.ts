// The limit of secure calls, hand-written over node:tls, with certificates on both sides.

import type { TLSSocket } from 'node:tls';
import { listenTls, tlsDialer } from '../secure/bare-tls.ts';
import type { Adapter } from './adapter.ts';
import { attend, framed, limitCaller } from './limit.ts';

const open = framed();

export const limitTls: Adapter = {
  name: 'limit-tls',

  async serve(answer) {
    const sockets = new Set<TLSSocket>();
    const { server, port } = await listenTls((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      attend(socket, answer, open);
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
    return limitCaller(await dial(Number(address)), open);
  },
};
