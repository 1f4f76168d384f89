// Bare node:net: the calls of the raw limit, and nothing kept of a connection but what those take.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { attend, LimitCaller } from '../adapters/limit.ts';
import { CALL, checkCall } from './call.ts';
import type { Kind } from './kind.ts';

export const bareTcp: Kind = {
  async serve(counts) {
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      counts.up++;
      sockets.add(socket);
      socket.on('close', () => {
        counts.down++;
        sockets.delete(socket);
      });
      attend(socket, (request) => request);
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
    const callers: LimitCaller[] = [];
    const holder = {
      lost: 0,
      async open() {
        const socket = connect({ port: Number(address), host: '127.0.0.1', noDelay: true });
        await once(socket, 'connect');
        socket.on('close', () => holder.lost++);
        const caller = new LimitCaller(socket);
        callers.push(caller);
        checkCall(await caller.call(CALL));
      },
      call: async (at: number) => checkCall(await callers[at]!.call(CALL)),
      async close() {
        for (const caller of callers) void caller.close();
      },
    };
    return holder;
  },
};
