// Bare node:net connections with the calls of the raw limit. Per connection, only what those calls
// need is kept.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Caller } from '../adapters/adapter.ts';
import { attend, framed, limitCaller, type Open } from '../adapters/limit.ts';
import { CALL, checkCall } from './call.ts';
import type { Kind } from './kind.ts';

export const bareTcp = overNet(framed());
/**
 * Takes a batch from a pool shared by all connections when there is something to write, and returns
 * it once it is written.
 */
export const bareTcpPooled = overNet(framed({ pool: [] }));

function overNet(open: Open): Kind {
  return {
    async serve(counts) {
      const sockets = new Set<Socket>();
      const server = createServer({ noDelay: true }, (socket) => {
        counts.up++;
        sockets.add(socket);
        socket.on('close', () => {
          counts.down++;
          sockets.delete(socket);
        });
        attend(socket, (request) => request, open);
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
      const callers: Caller[] = [];
      const holder = {
        lost: 0,
        async open() {
          const socket = connect({ port: Number(address), host: '127.0.0.1', noDelay: true });
          await once(socket, 'connect');
          socket.on('close', () => holder.lost++);
          const caller = limitCaller(socket, open);
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
}
