// The limit over WebSocket: each message is a message of `ws` with an id in front, and the messages
// of a tick are written at once.

import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { Adapters } from './adapter.ts';
import { Calls, oncePerTick, type Wire } from './limit.ts';
import type { Received } from './limit-frames.ts';

export const adapters: Adapters = {
  'limit-ws': {
    async serve(answer) {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...OPTIONS });
      server.on('connection', (webSocket, { socket }) => {
        const wire = open(webSocket, socket, (id, request) => {
          wire.put(id, answer(request));
          flush();
        });
        // Flushes in the next tick, because `ws` does not tell where the messages of a chunk end.
        const flush = oncePerTick(wire.flush);
      });
      await once(server, 'listening');
      return {
        address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
        async close() {
          for (const webSocket of server.clients) webSocket.terminate();
          server.close();
        },
      };
    },

    async connect(address) {
      const { port, hostname } = new URL(address);
      const socket = connect({ port: Number(port), host: hostname, noDelay: true });
      const webSocket = new WebSocket(address, { ...OPTIONS, createConnection: () => socket });
      await once(webSocket, 'open');
      const calls = new Calls((received) => open(webSocket, socket, received));
      webSocket.on('close', () => calls.fail());
      return {
        call: (request) => calls.call(request),
        close: async () => webSocket.terminate(),
      };
    },
  },
};

function open(webSocket: WebSocket, socket: Socket, received: Received): Wire {
  socket.setNoDelay(true);
  webSocket.on('error', () => {});
  webSocket.on('message', (data) => {
    const message = data as Buffer;
    received(
      message.readUInt32LE(0),
      new Uint8Array(message.buffer, message.byteOffset + ID, message.length - ID),
    );
  });
  let isCorked = false;
  return {
    put(id, payload) {
      if (!isCorked) socket.cork();
      isCorked = true;
      const message = Buffer.allocUnsafe(ID + payload.length);
      message.writeUInt32LE(id, 0);
      message.set(payload, ID);
      webSocket.send(message);
    },
    flush() {
      if (isCorked) socket.uncork();
      isCorked = false;
    },
  };
}

const ID = 4;
/**
 * The options of a minimal protocol: uncompressed binary messages, up to 64 MiB, masked at random
 * by the client as RFC 6455 demands.
 */
const OPTIONS = { perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 } as const;
