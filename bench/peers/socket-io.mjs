// Socket.IO, after socket.io/docs/v4/emitting-events: an event with an acknowledgment
// (`emitWithAck`), over WebSocket alone, so that no part of it is long polling. A server takes
// messages of 1 MB unless it is told otherwise.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';

/** @type {import('../dist/adapters/adapter.js').Adapter} */
export const adapter = {
  name: 'socket.io',

  async serve(answer) {
    const http = createServer();
    const server = new Server(http, {
      transports: ['websocket'],
      maxHttpBufferSize: 128 * 1024 * 1024,
    });
    server.on('connection', (socket) => {
      socket.on('answer', (request, acknowledge) => acknowledge(answer(request)));
    });
    await once(http.listen(0, '127.0.0.1'), 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());
    return { address: `http://127.0.0.1:${port}`, close: async () => void (await server.close()) };
  },

  async connect(address) {
    const socket = io(address, { transports: ['websocket'], reconnection: false });
    await new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('connect_error', reject);
    });
    return {
      call: (request) => socket.emitWithAck('answer', request),
      callElsewhere: undefined,
      close: async () => void socket.disconnect(),
    };
  },
};
