// birpc over ws, after birpc's README. Its example serializes with JSON, which has no bytes;
// `v8.serialize` is what Vitest, which birpc was made for, gives it between Node's processes.

import { once } from 'node:events';
import { deserialize, serialize } from 'node:v8';
import { createBirpc } from 'birpc';
import { WebSocket, WebSocketServer } from 'ws';

/** @type {Record<string, import('../dist/adapters/adapter.js').Adapter>} */
export const adapters = {
  'birpc-ws': {
    async serve(answer) {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
      server.on('connection', (socket) => void createBirpc({ answer }, over(socket)));
      await once(server, 'listening');
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      return {
        address: `ws://127.0.0.1:${port}`,
        async close() {
          for (const socket of server.clients) socket.terminate();
          server.close();
        },
      };
    },

    async connect(address) {
      const socket = new WebSocket(address);
      await once(socket, 'open');
      /** @type {import('birpc').BirpcReturn<{ answer(request: Uint8Array): Uint8Array }>} */
      const rpc = createBirpc({}, over(socket));
      return {
        call: (request) => rpc.answer(request),
        close: async () => socket.terminate(),
      };
    },
  },
};

function over(socket) {
  return {
    post: (data) => socket.send(data),
    on: (receive) => socket.on('message', receive),
    serialize,
    deserialize,
  };
}
