// protomux-rpc, after its README: `respond` and `request` over a framed stream, here framed-stream
// over TCP. Between peers of Hyperswarm it is Noise and UDX that carry it; plain TCP is what the
// others have.

import FramedStream from 'framed-stream';
import ProtomuxRPC from 'protomux-rpc';
import { plain } from '../dist/adapters/limit-net.js';

/** @type {Record<string, import('../dist/adapters/adapter.js').Adapter>} */
export const adapters = {
  'protomux-rpc': {
    serve: (answer) =>
      plain.serve((socket) => new ProtomuxRPC(framed(socket)).respond('answer', answer)),

    async connect(address) {
      const socket = await plain.dial(address);
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
