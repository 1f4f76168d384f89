// Socket.IO: an event with an acknowledgment for each call, over WebSocket alone. It has no streams,
// so a download is an event for each item, and then the acknowledgment.

import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { SCHEMAS, service } from '../../dist/real/work.js';
import { clientOptions, listening, serverOf } from './http.mjs';

const { small, order, page, orders } = SCHEMAS;

/** @type {import('../../dist/real/library.js').Library} */
export const library = {
  async serve(carrier) {
    const http = await serverOf(carrier);
    const server = new Server(http, { transports: ['websocket'] });
    server.on('connection', (socket) => {
      const on = (name, request, response) =>
        socket.on(name, (value, acknowledge) =>
          acknowledge(response.parse(service[name](request.parse(value)))),
        );
      on('echo', small, small);
      on('place', order, order);
      on('list', page, orders);
      socket.on('items', (value, acknowledge) => {
        for (const item of service.items(page.parse(value))) socket.emit('item', small.parse(item));
        acknowledge();
      });
    });
    const address = `${carrier === 'TLS' ? 'https' : 'http'}://${await listening(http)}`;
    return { address, close: async () => void (await server.close()) };
  },

  async connect(carrier, address) {
    const secured = await clientOptions(carrier);
    const socket = io(address, { transports: ['websocket'], reconnection: false, ...secured });
    await new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('connect_error', reject);
    });
    const call = (name, request, response) => async (value) =>
      response.parse(await socket.emitWithAck(name, request.parse(value)));
    return {
      echo: call('echo', small, small),
      place: call('place', order, order),
      list: call('list', page, orders),
      async items(request, take) {
        const receive = (item) => take(small.parse(item));
        socket.on('item', receive);
        await socket.emitWithAck('items', page.parse(request));
        socket.off('item', receive);
      },
      close: async () => void socket.disconnect(),
    };
  },
};
