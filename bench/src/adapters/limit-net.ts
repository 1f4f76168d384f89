// The limit of plain calls: hand-written over node:net.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Adapter } from './adapter.ts';
import { attend, LimitCaller } from './limit.ts';

export const limitNet: Adapter = {
  name: 'limit-net',

  async serve(answer) {
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      attend(socket, answer);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return {
      address: String((server.address() as AddressInfo).port),
      async close() {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    };
  },

  async connect(address) {
    const socket = connect({ port: Number(address), host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new LimitCaller(socket);
  },
};
