// The common part of the limits: calls hand-written over a wire, with only an id before each
// message. A batch is written once a tick, and a call is a promise in an array of slots.

import type { Socket } from 'node:net';
import { FrameReader, FrameWriter, type Received } from './limit-frames.ts';

/** Messages with ids over one connection. */
export interface Wire {
  /** Takes a message, which is sent with the next `flush` at the latest. */
  put(id: number, payload: Uint8Array): void;
  flush(): void;
}

/**
 * Puts a wire on a socket. Messages that are put while the wire reads are flushed at the end of the
 * data handler, which needs no scheduling.
 */
export type Open = (socket: Socket, received: Received) => Wire;

/**
 * A wire that writes a length and an id before each message.
 * @param most the largest number of messages in a batch.
 */
export function framed(most?: number): Open {
  return (socket, received) => {
    const writer = new FrameWriter(socket, most);
    const reader = new FrameReader(received);
    socket.on('data', (chunk) => {
      reader.read(chunk);
      writer.flush();
    });
    return writer;
  };
}

/** The calls that wait for a reply. Each has a slot, and the number of the slot is its id. */
export class Calls {
  readonly #wire: Wire;
  readonly #slots: (Pending | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #flush: () => void;

  /** @param schedule runs the flush that follows calls. */
  constructor(open: (received: Received) => Wire, schedule?: (work: () => void) => void) {
    this.#wire = open((id, reply) => this.#settle(id, reply));
    this.#flush = oncePerTick(() => this.#wire.flush(), schedule);
  }

  call(request: Uint8Array): Promise<Uint8Array> {
    const promise = new Promise(keep);
    const id = this.#free.pop() ?? this.#slots.length;
    this.#slots[id] = kept;
    this.#wire.put(id, request);
    this.#flush();
    return promise;
  }

  #settle(id: number, reply: Uint8Array): void {
    const pending = this.#slots[id]!;
    this.#slots[id] = undefined;
    this.#free.push(id);
    pending.resolve(reply);
  }

  fail(): void {
    for (const pending of this.#slots) pending?.reject(new Error('the connection was closed'));
  }
}

/**
 * Returns a function that runs `work` in the next tick, once for all calls before it.
 * @param schedule runs a function later. Default: in the next tick.
 */
export function oncePerTick(
  work: () => void,
  schedule: (work: () => void) => void = process.nextTick,
): () => void {
  let isScheduled = false;
  const run = () => {
    isScheduled = false;
    work();
  };
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    schedule(run);
  };
}

interface Pending {
  resolve(reply: Uint8Array): void;
  reject(error: Error): void;
}

/** Set by the one executor that all promises share; it is read before the next call can be made. */
let kept: Pending;
const keep = (resolve: (reply: Uint8Array) => void, reject: (error: Error) => void): void => {
  kept = { resolve, reject };
};
