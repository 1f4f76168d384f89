// The queue of messages to one peer. It is bounded and keeps the messages in order, and a slow peer
// does not delay other peers. It owns the waiting messages, and no other code sends messages of its
// methods (`OneWay`) to the peer. ConnectedMembers owns one for each peer.

import type { RequestInput, Transport, TransportError } from '@trunkline/transport-core';
import { messageLimit } from '@trunkline/transport-core/internal';
import { SizedQueue } from '../messages/sized-queue.ts';
import type { GossipConfig } from '../options.ts';
import type { gossipProtocol } from '../protocol.ts';
import type { Unsent } from '../types.ts';
import type { CurrentConnection } from './current-connection.ts';

/** The transport, with the protocol of gossip. */
type Mount = Transport<typeof gossipProtocol>;

/** The methods that have no response. */
type OneWay = 'push' | 'control' | 'receipt' | 'terms' | 'view';

/** A queued message of `size` bytes. */
interface Parcel {
  readonly method: OneWay;
  readonly request: unknown;
  readonly size: number;
  /** Called if the message can no longer be sent. */
  readonly lost: (() => void) | undefined;
}

/** Sends messages at once if possible, and queues the others until the peer takes more. */
export class PeerOutbox {
  /**
   * The number of messages dropped because too many were queued or because they could not be sent,
   * without those that the caller retries, and those that waited when the peer was gone.
   */
  dropped = 0;
  readonly #mount: Mount;
  readonly #connection: CurrentConnection;
  /** Maximum numbers of messages and bytes that may wait. A single message may exceed `bytes`. */
  readonly #limits: GossipConfig['outbound'];
  readonly #writable: () => void;
  readonly #queue = new SizedQueue<Parcel>();
  #isPumping = false;
  /** The message that may be leaving now, so that `close` does not report it as lost. */
  #leaving: Parcel | undefined = undefined;
  /** True if a message found no room, so `writable` is called when the queue is empty. */
  #isWanted = false;
  #isClosed = false;

  /** @param writable is called when there is room again after a message found none */
  constructor(
    mount: Mount,
    connection: CurrentConnection,
    limits: GossipConfig['outbound'],
    writable: () => void,
  ) {
    this.#mount = mount;
    this.#connection = connection;
    this.#limits = limits;
    this.#writable = writable;
  }

  get waiting(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#queue.length, bytes: this.#queue.bytes };
  }

  /**
   * Sends or queues a message of `size` bytes. Returns the reason if it can do neither; if there is
   * no room, `writable` is called once there is, unless the peer is gone. A message never overtakes
   * one that waits. Most messages are sent at once and need no parcel.
   * @param lost called if the message was queued and can no longer be sent
   * @param isRetried true if the caller sends the message again when there is room. It is queued
   * only if it is long and the queue is empty, because the only way to wait for room is to send it.
   */
  put<M extends OneWay>(
    method: M,
    request: RequestInput<typeof gossipProtocol, M>,
    size: number,
    lost?: () => void,
    isRetried = false,
  ): Unsent | undefined {
    if (this.#isClosed) return 'no-room';
    if (this.#queue.length === 0 && this.#try(method, request)) return undefined;
    if (this.#isTooLarge(size)) return 'too-large';
    const { length, bytes } = this.#queue;
    const isFull = isRetried
      ? length > 0 || size <= SHORT
      : length >= this.#limits.messages || (length > 0 && bytes + size > this.#limits.bytes);
    if (!isFull) this.#queue.push({ method, request, size, lost });
    else {
      this.#isWanted = true;
      if (!isRetried) this.dropped++;
    }
    if (!this.#isPumping) void this.#pump();
    return isFull ? 'no-room' : undefined;
  }

  /** Returns true if a message is too large for the peer over the connection in use. */
  #isTooLarge(size: number): boolean {
    const remote = size > SHORT ? this.#connection.current : undefined;
    return remote !== undefined && size > messageLimit(this.#mount, remote);
  }

  /** Drops all queued messages, because the peer is gone. Nothing can be put in any more. */
  close(): void {
    this.#isClosed = true;
    for (let parcel = this.#queue.shift(); parcel !== undefined; parcel = this.#queue.shift())
      if (parcel !== this.#leaving) parcel.lost?.();
  }

  /** Sends a message now; returns false if the connection does not take it. */
  #try(method: OneWay, request: unknown): boolean {
    const remote = this.#connection.current;
    if (remote === undefined) return false;
    try {
      return this.#mount.trySend(remote, method, request as never);
    } catch {
      // The message can never be sent; `send` will report why.
      return false;
    }
  }

  /**
   * Sends what waits, one after the other, and then waits for room if a message found none. Runs
   * once at a time. If the connection was replaced, the message under way is sent again, even if it
   * may have left; if there is no connection, the outbox closes.
   */
  async #pump(): Promise<void> {
    this.#isPumping = true;
    try {
      while (!this.#isClosed) {
        const head = this.#queue.first;
        const remote = this.#connection.current;
        if (remote === undefined) return this.close();
        this.#leaving = head;
        try {
          if (head !== undefined)
            await this.#mount.send(remote, head.method, head.request as never, {
              timeout: Number.POSITIVE_INFINITY,
            });
          else if (this.#isWanted) await this.#mount.writable(remote);
          else return;
        } catch (error) {
          // Another connection of the same peer may still take it.
          if (!this.#isClosed && this.#connection.refresh() !== remote) {
            if ((error as TransportError).sent !== true) this.#leaving = undefined;
            continue;
          }
          if (head === undefined) return;
          this.dropped++;
          if ((error as TransportError).sent !== true) head.lost?.();
        }
        if (this.#isClosed) return;
        if (head !== undefined) this.#queue.shift();
        if (this.#queue.length === 0 && this.#isWanted) {
          this.#isWanted = false;
          this.#writable();
        }
      }
    } finally {
      // Set before the promise resolves, so that no message is queued in between and then left.
      this.#isPumping = false;
    }
  }
}

/**
 * Number of bytes that fit in one packet on any connection: the smallest allowed `limits.packet`.
 */
const SHORT = 4_096;
