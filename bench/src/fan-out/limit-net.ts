// The limit of spreading: frames of the raw limit are built once, and the same bytes are written to
// every socket once a tick.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { FrameReader, FrameWriter } from '../adapters/limit-frames.ts';
import type { Kind } from './kind.ts';

export const limitNet: Kind = {
  open: ({ dials: [address] }, received) =>
    address === undefined ? publisher() : subscriber(Number(address), received),
};

async function publisher(): ReturnType<Kind['open']> {
  const fan = new Fan();
  const writer = new FrameWriter(fan);
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => fan.sockets.delete(socket));
    fan.sockets.add(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  let scheduled = false;
  let published = 0;
  const flush = () => {
    scheduled = false;
    writer.flush();
  };
  return {
    address: String((server.address() as AddressInfo).port),
    links: () => fan.sockets.size,
    publish(message) {
      writer.put(published++, message);
      if (scheduled) return;
      scheduled = true;
      process.nextTick(flush);
    },
    traffic: () => ({ copies: 0, bytes: 0 }),
    async close() {
      server.close();
      for (const socket of fan.sockets) socket.destroy();
    },
  };
}

async function subscriber(
  port: number,
  received: (message: Uint8Array) => void,
): ReturnType<Kind['open']> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const reader = new FrameReader((_id, message) => received(message));
  socket.on('data', (chunk) => reader.read(chunk));
  socket.on('error', () => {});
  return {
    address: '',
    links: () => 1,
    publish: () => {},
    traffic: () => ({ copies: 0, bytes: 0 }),
    close: async () => void socket.destroy(),
  };
}

/** Presents all sockets to a `FrameWriter` as one. */
class Fan {
  readonly sockets = new Set<Socket>();

  get writableLength(): number {
    let most = 0;
    for (const socket of this.sockets) most = Math.max(most, socket.writableLength);
    return most;
  }

  write(chunk: Uint8Array): void {
    for (const socket of this.sockets) socket.write(chunk);
  }

  cork(): void {
    for (const socket of this.sockets) socket.cork();
  }

  uncork(): void {
    for (const socket of this.sockets) socket.uncork();
  }
}
