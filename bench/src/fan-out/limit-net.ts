// The limit of spreading: frames of the raw limit are built once, and the same bytes are written to
// every socket once a tick.

import type { Socket } from 'node:net';
import { oncePerTick } from '../adapters/limit.ts';
import { FrameReader, FrameWriter, type Writable } from '../adapters/limit-frames.ts';
import { plain } from '../adapters/limit-net.ts';
import type { Kind, Spreader } from '../gossip-processes/kind.ts';

/** Opens a publisher if it dials nobody, otherwise a subscriber. */
export type Open = (...args: Parameters<Kind['open']>) => Promise<Untold>;
/** A publisher or a subscriber, whose traffic is not measured. */
export type Untold = Omit<Spreader, 'traffic'>;

export const open: Open = ({ dials: [port] }, received) =>
  port === undefined ? publisher() : subscriber(port, received);

async function publisher(): Promise<Untold> {
  const sockets = new Set<Socket>();
  const writer = new FrameWriter(together(sockets));
  const { address, close } = await plain.serve((socket) => {
    socket.on('close', () => sockets.delete(socket));
    sockets.add(socket);
  });
  const flush = oncePerTick(() => writer.flush());
  let published = 0;
  return {
    address,
    links: () => sockets.size,
    publish(message) {
      writer.put(published++, message);
      flush();
    },
    close,
  };
}

async function subscriber(port: string, received: (message: Uint8Array) => void): Promise<Untold> {
  const socket = await plain.dial(port);
  const reader = new FrameReader((_id, message) => received(message));
  socket.on('data', (chunk) => reader.read(chunk));
  return {
    address: '',
    links: () => 1,
    publish: () => {},
    close: async () => void socket.destroy(),
  };
}

/** Presents sockets to a `FrameWriter` as one. */
function together(sockets: ReadonlySet<Socket>): Writable {
  const each = (act: (socket: Socket) => unknown) => {
    for (const socket of sockets) act(socket);
  };
  return {
    get writableLength() {
      return Math.max(0, ...Array.from(sockets, ({ writableLength }) => writableLength));
    },
    write: (chunk) => each((socket) => socket.write(chunk)),
    cork: () => each((socket) => socket.cork()),
    uncork: () => each((socket) => socket.uncork()),
  };
}
