// What the limits have in common: calls hand-written over a socket, with nothing but a length and an id before each message. A batch is
// written once a tick, a call is a promise in an array of slots, a large payload is never copied.

import type { Socket } from 'node:net';
import type { Answer, Caller } from './adapter.ts';
import { FrameReader, FrameWriter } from './limit-frames.ts';

/** Answers leave at the end of the data handler, which needs no scheduling. */
export function attend(socket: Socket, answer: Answer): void {
  const writer = new FrameWriter(socket);
  const reader = new FrameReader((id, request) => writer.put(id, answer(request)));
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    reader.read(chunk);
    writer.flush();
  });
}

export class LimitCaller implements Caller {
  readonly callElsewhere = undefined;
  readonly #socket: Socket;
  readonly #writer: FrameWriter;
  readonly #slots: (Pending | undefined)[] = [];
  readonly #free: number[] = [];
  #scheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#writer = new FrameWriter(socket);
    const reader = new FrameReader((id, reply) => this.#settle(id, reply));
    socket.on('data', (chunk) => reader.read(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const pending of this.#slots) pending?.reject(new Error('the raw socket was closed'));
    });
  }

  call(request: Uint8Array): Promise<Uint8Array> {
    const promise = new Promise(keep);
    const id = this.#free.pop() ?? this.#slots.length;
    this.#slots[id] = kept;
    this.#writer.put(id, request);
    if (!this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(this.#flush);
    }
    return promise;
  }

  async close(): Promise<void> {
    this.#socket.destroy();
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    this.#writer.flush();
  };

  #settle(id: number, reply: Uint8Array): void {
    const pending = this.#slots[id]!;
    this.#slots[id] = undefined;
    this.#free.push(id);
    pending.resolve(reply);
  }
}

interface Pending {
  resolve(reply: Uint8Array): void;
  reject(error: Error): void;
}

/** One executor for all promises: what it keeps is taken before the next call can come. */
let kept: Pending;
const keep = (resolve: (reply: Uint8Array) => void, reject: (error: Error) => void): void => {
  kept = { resolve, reject };
};
