// The limits of plain calls, hand-written over node:net.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Adapter } from './adapter.ts';
import { attend, framed, limitCaller, type Open } from './limit.ts';
import { credited } from './limit-credit.ts';

export const limitNet = overNet('limit-net', framed());
/** Writes batches before the tick ends, so that both ends work at the same time. */
export const limitNetEarly = overNet('limit-net-early', framed({ most: 32 }));
/**
 * Limits the bytes in flight by credit, so that a small call waits only for what the receiver has
 * not taken yet.
 */
export const limitNetCredit = overNet('limit-net-credit', credited);

function overNet(name: string, open: Open): Adapter {
  return {
    name,

    async serve(answer) {
      const sockets = new Set<Socket>();
      const server = createServer({ noDelay: true }, (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        attend(socket, answer, open);
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
      return limitCaller(socket, open);
    },
  };
}
