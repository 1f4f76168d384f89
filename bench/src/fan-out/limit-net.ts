// The limit of spreading: frames of the raw limit are built once, and the same bytes are written to
// every socket once a tick.

import type { Socket } from 'node:net';
import { oncePerTick } from '../adapters/limit.ts';
import { FrameReader, FrameWriter } from '../adapters/limit-frames.ts';
import { plain } from '../adapters/limit-net.ts';
import type { Kind, Spreader } from '../gossip-processes/kind.ts';

/** Opens a publisher if it dials nobody, otherwise a subscriber. */
export type Open = (...args: Parameters<Kind['open']>) => Promise<Untold>;
/** A publisher or a subscriber, whose traffic is not measured. */
export type Untold = Omit<Spreader, 'traffic'>;

export const open: Open = ({ dials: [port] }, received) =>
  port === undefined ? publisher() : subscriber(port, received);

async function publisher(): Promise<Untold> {
  const fan = new Fan();
  const writer = new FrameWriter(fan);
  const { address, close } = await plain.serve((socket) => {
    socket.on('close', () => fan.sockets.delete(socket));
    fan.sockets.add(socket);
  });
  const flush = oncePerTick(() => writer.flush());
  let published = 0;
  return {
    address,
    links: () => fan.sockets.size,
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
