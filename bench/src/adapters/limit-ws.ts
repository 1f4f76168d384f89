// The limit over WebSocket: each message is a message of `ws` with an id in front, and the messages
// of a tick are written at once.

import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { Adapters } from './adapter.ts';
import { Calls, type Wire } from './limit.ts';
import type { Received } from './limit-frames.ts';

export const adapters: Adapters = {
  'limit-ws': {
    async serve(answer) {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...OPTIONS });
      server.on('connection', (webSocket, { socket }) => {
        const wire = open(webSocket, socket, (id, request) => {
          wire.put(id, answer(request));
          wire.scheduled();
        });
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
      const calls = new Calls();
      calls.wire = open(webSocket, socket, (id, reply) => calls.settle(id, reply));
      webSocket.on('close', () => calls.fail());
      return {
        call: (request) => calls.call(request),
        close: async () => webSocket.terminate(),
      };
    },
  },
};

function open(webSocket: WebSocket, socket: Socket, received: Received): WsWire {
  socket.setNoDelay(true);
  webSocket.on('error', () => {});
  webSocket.on('message', (data) => {
    const message = data as Buffer;
    received(
      message.readUInt32LE(0),
      new Uint8Array(message.buffer, message.byteOffset + ID, message.length - ID),
    );
  });
  return new WsWire(webSocket, socket);
}

class WsWire implements Wire {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  #corked = false;
  #isScheduled = false;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
  }

  put(id: number, payload: Uint8Array): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
    }
    const message = Buffer.allocUnsafe(ID + payload.length);
    message.writeUInt32LE(id, 0);
    message.set(payload, ID);
    this.#webSocket.send(message);
  }

  flush(): void {
    this.#isScheduled = false;
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
  }

  /** Flushes in the next tick, because `ws` does not tell where the messages of a chunk end. */
  scheduled(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.#flushed);
  }

  readonly #flushed = (): void => this.flush();
}

const ID = 4;
/**
 * The options of a minimal protocol: uncompressed binary messages, up to 64 MiB, masked at random
 * by the client as RFC 6455 demands.
 */
const OPTIONS = { perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 } as const;
