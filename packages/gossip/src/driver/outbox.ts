// What waits for one peer: bounded, in order, and no other peer waits for it.

import { messageLimit, type Remote, type Transport, type TransportError } from '@trunkline/transport-core';
import type { gossipProtocol } from '../protocol.ts';
import type { Unsent } from '../types.ts';

type Mount = Transport<typeof gossipProtocol>;

/** One message on its way. `lost`: it was queued, and has not left, and will not. */
export type Parcel = { readonly size: number; readonly lost?: (() => void) | undefined } & (
  | { readonly method: 'push' | 'control' | 'receipt'; readonly request: Uint8Array }
  | { readonly method: 'terms'; readonly request: { topic: string; overlay: string; limit: number; life?: number } }
  | { readonly method: 'view'; readonly request: { topic: string; message: unknown; addresses?: unknown; life?: number } }
);

export interface OutboxHost {
  readonly mount: Mount;
  /** The connection in use; undefined: there is none. */
  remote(): Remote | undefined;
  /** Another connection of the peer's that is in use by now; or the same. */
  elsewhere(): Remote | undefined;
  /** There is room again for what `tryNow` refused. */
  writable(): void;
}

export interface OutboxLimits {
  readonly messages: number;
  readonly bytes: number;
}

export class Outbox {
  readonly #host: OutboxHost;
  readonly #limits: OutboxLimits;
  readonly #queue: Parcel[] = [];
  #bytes = 0;
  #dropped = 0;
  #isPumping = false;
  /** What is being sent. */
  #leaving: Parcel | undefined = undefined;
  /** Somebody was refused, and is to be told when there is room. */
  #isWanted = false;
  #isClosed = false;

  constructor(host: OutboxHost, limits: OutboxLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  get waiting(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#queue.length, bytes: this.#bytes };
  }

  /** Dropped because too many waited, or because they could not go. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sends a message now, or queues it. Returns why it did neither. Nearly all go now, and need no parcel. */
  push(request: Uint8Array, lost: (() => void) | undefined): Unsent | undefined {
    if (this.#isClosed) return 'no-room';
    if (this.#queue.length === 0 && this.#try('push', request)) return undefined;
    return this.#keep({ method: 'push', request, size: request.length, lost });
  }

  /** The same for anything. False: it was dropped. */
  put(parcel: Parcel): boolean {
    if (this.#isClosed) return false;
    if (this.#queue.length === 0 && this.#try(parcel.method, parcel.request)) return true;
    return this.#keep(parcel) === undefined;
  }

  #keep(parcel: Parcel): Unsent | undefined {
    if (this.#isTooLarge(parcel.size)) return 'too-large';
    if (this.#queue.length >= this.#limits.messages || (this.#bytes + parcel.size > this.#limits.bytes && this.#queue.length > 0)) {
      this.#dropped++;
      return 'no-room';
    }
    this.#enqueue(parcel);
    return undefined;
  }

  /** The peer takes no message of that size over the connection in use. */
  #isTooLarge(size: number): boolean {
    const remote = size > SHORT ? this.#host.remote() : undefined;
    return remote !== undefined && size > messageLimit(this.#host.mount, remote);
  }

  /**
   * Sends a message now. Returns why not: where there is no room, the host's `writable` tells when there is. A long message, for whose room nobody can
   * wait without sending it, is queued if nothing else is.
   */
  tryNow(request: Uint8Array): Unsent | undefined {
    if (this.#isClosed) return 'no-room';
    if (this.#queue.length === 0 && this.#try('push', request)) return undefined;
    if (this.#isTooLarge(request.length)) return 'too-large';
    if (this.#queue.length === 0 && request.length > SHORT) {
      this.#enqueue({ method: 'push', request, size: request.length, lost: undefined });
      return undefined;
    }
    this.#isWanted = true;
    this.#pump();
    return 'no-room';
  }

  /** The peer is gone, and what waited for it. */
  close(): void {
    this.#isClosed = true;
    this.#bytes = 0;
    for (const parcel of this.#queue.splice(0)) if (parcel !== this.#leaving) parcel.lost?.();
  }

  #try(method: Parcel['method'], request: Parcel['request']): boolean {
    const remote = this.#host.remote();
    if (remote === undefined) return false;
    try {
      return this.#host.mount.trySend(remote, method, request as never);
    } catch {
      // It can never go: `send` will say so.
      return false;
    }
  }

  #enqueue(parcel: Parcel): void {
    this.#queue.push(parcel);
    this.#bytes += parcel.size;
    this.#pump();
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#run().finally(() => (this.#isPumping = false));
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const [head] = this.#queue;
      const remote = this.#host.remote();
      if (remote === undefined) return this.close();
      this.#leaving = head;
      try {
        if (head !== undefined) await this.#host.mount.send(remote, head.method, head.request as never, { timeout: Number.POSITIVE_INFINITY });
        else if (this.#isWanted) await this.#host.mount.writable(remote);
        else return;
      } catch (error) {
        // Over another connection of the same peer it may still go.
        if (!this.#isClosed && this.#host.elsewhere() !== remote) continue;
        if (head === undefined) return;
        this.#dropped++;
        if ((error as TransportError).sent !== true) head.lost?.();
      }
      if (this.#isClosed) return;
      if (head !== undefined) this.#shift();
      if (this.#queue.length === 0 && this.#isWanted) {
        this.#isWanted = false;
        this.#host.writable();
      }
    }
  }

  #shift(): void {
    const gone = this.#queue.shift();
    if (gone !== undefined) this.#bytes -= gone.size;
  }
}

/** Bytes that go as one packet over any connection: the smallest `limits.packet`. */
const SHORT = 4_096;
