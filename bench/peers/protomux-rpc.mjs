// protomux-rpc, after its README: `respond` and `request` over a framed stream, here framed-stream
// over TCP. Between peers of Hyperswarm it is Noise and UDX that carry it; plain TCP is what the
// others have.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import FramedStream from 'framed-stream';
import ProtomuxRPC from 'protomux-rpc';

/** @type {Record<string, import('../dist/adapters/adapter.js').Adapter>} */
export const adapters = {
  'protomux-rpc': {
    async serve(answer) {
      const sockets = new Set();
      const server = createServer({ noDelay: true }, (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        new ProtomuxRPC(framed(socket)).respond('answer', answer);
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      return {
        address: String(port),
        async close() {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      };
    },

    async connect(address) {
      const socket = connect({ port: Number(address), host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      const rpc = new ProtomuxRPC(framed(socket));
      await rpc.fullyOpened();
      return {
        call: (request) => rpc.request('answer', request),
        close: async () => void socket.destroy(),
      };
    },
  },
};

/** A peer that goes is no error here. */
function framed(socket) {
  return new FramedStream(socket).on('error', () => {});
}
