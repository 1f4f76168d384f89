// The two subjects of one connection: publishes numbered messages to the peer's subject, and checks
// the numbers of the messages that arrive at its own subject. A missing or repeated message ends
// the connection.

import type { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { createMessage, HEADER, readNumber } from './message.ts';
import type { NatsClient, SubjectListener } from './nats-client.ts';

/** Receives the events at one end of a connection. */
export interface LinkOwner {
  /**
   * Called when a message has arrived; `content` belongs to the owner. `reply` returns the subject
   * that it names, '' if none. Like all methods here, it must not throw (`SubjectListener`).
   */
  message(type: number, content: Uint8Array, reply: () => string): void;
  /** Called when the peer's subject has no subscribers: the peer has ended, or never existed. */
  absent(): void;
  /** Called when the link is broken; the owner then closes it. */
  failed(error: TransportError): void;
  /** Called when a server of the cluster is lost: the peer may be gone. */
  doubt?(): void;
  /** Called repeatedly when the link will be lost soon; `text` says why. */
  leave?(text: string): void;
}

export class MessageLink {
  /** The subject at which this end receives. */
  readonly subject: string;
  readonly client: NatsClient;
  #owner: LinkOwner;
  /** The subject at which the peer receives. */
  #peer = '';
  /** Maximum size of a message that the peer can receive, in bytes. */
  #peerMax = Number.POSITIVE_INFINITY;
  /** The numbers of the next message in each direction. */
  #nextOut: number;
  #nextIn: number;
  readonly #unsubscribe: () => void;
  #forgetPeer: (() => void) | undefined;

  /**
   * Subscribes to `subject`. Call `meet` before anything is sent.
   *
   * @param next the number of the next message in each direction: an acceptor has sent and received
   * one before it creates the link.
   */
  constructor(client: NatsClient, subject: string, owner: LinkOwner, next: 0 | 1) {
    this.client = client;
    this.subject = subject;
    this.#owner = owner;
    this.#nextOut = next;
    this.#nextIn = next;
    this.#unsubscribe = client.subscribe(subject, this.#listener);
  }

  readonly #listener: SubjectListener = {
    message: (data, reply) => this.#received(data, reply),
    noResponders: () => this.#owner.absent(),
    failed: (error) => this.#owner.failed(error),
    doubt: () => this.#owner.doubt?.(),
    leave: (text) => this.#owner.leave?.(text),
  };

  /** Sets the peer's subject and the maximum size of a message that it can receive. */
  meet(peer: string, peerMax = this.#peerMax): void {
    this.#forgetPeer?.();
    this.#peer = peer;
    this.#peerMax = peerMax;
    this.#forgetPeer = this.client.refusedFor(peer, this.#listener);
  }

  /** Passes messages to another owner from now on. */
  handTo(owner: LinkOwner): void {
    this.#owner = owner;
  }

  /** Maximum size of the next message's content, in bytes. */
  get room(): number {
    return Math.min(LONGEST, this.client.maxPayload, this.#peerMax) - HEADER;
  }

  /**
   * Creates the next message. Fill it from offset `HEADER` on, and publish it before you create
   * another one.
   */
  create(type: number, length: number): Uint8Array {
    const message = createMessage(this.#nextOut, type, length);
    this.#nextOut = (this.#nextOut + 1) >>> 0;
    return message;
  }

  /**
   * Publishes a message made by `create`. It names our subject, so that the server reports
   * immediately if the peer has gone.
   */
  publish(message: Uint8Array): void {
    this.client.publish(this.#peer, message, this.subject);
  }

  send(type: number, content: Uint8Array = EMPTY): void {
    const message = this.create(type, content.length);
    message.set(content, HEADER);
    this.publish(message);
  }

  /** Stops receiving. Messages that were published are still sent. */
  close(): void {
    this.#forgetPeer?.();
    this.#unsubscribe();
  }

  #received(data: Uint8Array, reply: () => string): void {
    if (data.length < HEADER) return this.#owner.failed(this.#malformed('is too short'));
    const number = readNumber(data, 0);
    if (number !== this.#nextIn)
      return this.#owner.failed(
        reasonError(
          'reset',
          `message ${this.#nextIn} was expected and ${number} came, so NATS lost messages`,
        ),
      );
    this.#nextIn = (number + 1) >>> 0;
    this.#owner.message(data[4]!, data.subarray(HEADER), reply);
  }

  #malformed(what: string): TransportError {
    return reasonError('malformed', `a message ${what}`);
  }
}

const EMPTY = new Uint8Array(0);
/**
 * Maximum size of a message, in bytes: 64 KiB of an item, and room for the headers around it. A
 * longer message would delay the messages of other connections.
 */
export const LONGEST = 65 * 1024;
