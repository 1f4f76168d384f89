// Sends the same bytes over a bare socket, which shows what the line can carry. The size comes
// first, negative for a download.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ITEM } from './protocol.ts';

export function serveRaw(): Server {
  return createServer((socket) => {
    socket.on('error', () => {});
    void answer(socket).catch(() => {});
  });
}

/** Returns the milliseconds that `total` bytes take, including their confirmation. */
export async function measureRaw(
  host: string,
  port: number,
  direction: 'up' | 'down',
  total: number,
): Promise<number> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  const head = Buffer.alloc(4);
  head.writeInt32BE(direction === 'up' ? total : -total);
  const began = performance.now();
  socket.write(head);
  if (direction === 'up') await write(socket, total);
  await read(socket, direction === 'up' ? 1 : total);
  const took = performance.now() - began;
  socket.destroy();
  return took;
}

async function answer(socket: Socket): Promise<void> {
  const [first] = (await once(socket, 'data')) as [Buffer];
  const size = first.readInt32BE();
  if (size < 0) return write(socket, -size);
  await read(socket, size - (first.length - 4));
  socket.write('!');
}

async function write(socket: Socket, total: number): Promise<void> {
  const chunk = new Uint8Array(ITEM);
  for (let sent = 0; sent < total; sent += ITEM)
    if (!socket.write(chunk)) await once(socket, 'drain');
}

function read(socket: Socket, total: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let got = 0;
    socket.on('data', (chunk) => {
      got += chunk.length;
      if (got >= total) resolve();
    });
    socket.on('close', () => reject(new Error(`the socket closed after ${got} of ${total} bytes`)));
  });
}
