// The listening end: answers requests to dial, and hands a connection over once its dialer has
// confirmed the dial.

import type { Clock, ErrorReason, Random, TransportError } from '@trunkline/transport-core';
import type { StreamConnection } from '@trunkline/transport-core/backend';
import {
  createMessage,
  decodeTerms,
  encodeRefusal,
  encodeTerms,
  HEADER,
  MessageType,
  type Terms,
} from './message.ts';
import { LONGEST, MessageLink } from './message-link.ts';
import type { Subjects } from './nats-address.ts';
import type { NatsClient, SubjectListener, Unsubscribe } from './nats-client.ts';
import { NatsStreamConnection } from './nats-connection.ts';
import { randomId } from './random-id.ts';

export interface AcceptorOptions {
  readonly client: NatsClient;
  readonly subjects: Subjects;
  /** The name under which this node listens. */
  readonly name: string;
  /** The beginning of the subjects at which this node receives. */
  readonly inbox: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The time limit for a dialer's confirmation, in milliseconds. Default 5,000. */
  readonly timeout: number | undefined;
  readonly accept: (connection: StreamConnection) => void;
  /**
   * Called once if requests can't arrive anymore: the connection to the server is lost, or the
   * server forbids the subject.
   */
  readonly failed: (error: TransportError) => void;
  /** Called if the server forbids to answer one dial. */
  readonly acceptFailed: (error: TransportError) => void;
}

/**
 * Accepts connections. A request costs little work, so this class does not acquire a handshake
 * slot; the transport does that when it gets the connection.
 */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #subscriptions: readonly Unsubscribe[];
  /** The functions that end the handshakes under way, one for each. */
  readonly #pending = new Set<() => void>();
  #isRetired = false;
  #isClosed = false;

  constructor(options: AcceptorOptions) {
    this.#options = options;
    const { client, subjects, name, inbox, random } = options;
    const failed = (error: TransportError) => {
      if (this.#isRetired) return;
      this.close();
      options.failed(error);
    };
    const requests: SubjectListener = {
      message: (data, reply) => this.#request(data, reply()),
      noResponders: () => {},
      failed,
    };
    // Nothing is sent to the second subject. It shows whether this node may receive the messages of
    // connections; otherwise it would take dials from other instances and complete none.
    const probe: SubjectListener = { message: () => {}, noResponders: () => {}, failed };
    this.#subscriptions = [
      client.subscribe(subjects.dial(name), requests, QUEUE),
      client.subscribe(`${inbox}.${randomId(random)}`, probe),
    ];
  }

  get client(): NatsClient {
    return this.#options.client;
  }

  /**
   * Stops listening and ends pending handshakes. Requests that the server has sent already are
   * refused.
   */
  close(): void {
    this.retire();
    this.#isClosed = true;
    for (const end of [...this.#pending]) end();
  }

  /** Stops listening. Requests that the server has sent already are answered. */
  retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    for (const unsubscribe of this.#subscriptions) unsubscribe(true);
  }

  #request(data: Uint8Array, peer: string): void {
    const { client, subjects } = this.#options;
    const node = subjects.nodeOf(peer);
    // There is nobody to notify.
    if (node === undefined) return;
    if (this.#isClosed) return this.#refuse(peer, 'closed', 'it has stopped listening');
    const terms = decodeTerms(data);
    if (typeof terms === 'string')
      this.#refuse(peer, 'malformed', `the request is wrong: ${terms}`);
    else if (this.#pending.size >= MOST_PENDING)
      this.#refuse(peer, 'full', `it has ${MOST_PENDING} dials under way already`);
    else {
      const granted = client.credit.open();
      if (granted > 0) return this.#answer(`nats://${node}`, peer, terms, granted);
      this.#refuse(peer, 'full', 'its connections have taken all credit (maxPending)');
    }
  }

  /** @param granted the units that the dialer gets from the pool. */
  #answer(endpoint: string, peer: string, { credit, max }: Terms, granted: number): void {
    const { client, inbox, clock, random, timeout = HANDSHAKE_TIMEOUT, accept } = this.#options;
    const settle = () => {
      clock.clearTimeout(timer);
      this.#pending.delete(end);
    };
    const end = () => {
      if (!this.#pending.has(end)) return;
      settle();
      client.credit.give(granted);
      link.send(MessageType.reset);
      link.close();
    };
    const timer = clock.setTimeout(end, timeout);
    this.#pending.add(end);
    const link: MessageLink = new MessageLink(
      client,
      `${inbox}.${randomId(random)}`,
      {
        message: (type) => {
          if (!this.#pending.has(end)) return;
          if (type !== MessageType.confirm) return end();
          settle();
          accept(new NatsStreamConnection(link, endpoint, { granted, credit }, clock));
        },
        // The dialer has given up.
        absent: end,
        failed: (error) => {
          end();
          if (error.code === 'permission_denied') this.#options.acceptFailed(error);
        },
      },
      peer,
    );
    link.meet(peer, max);
    link.send(
      MessageType.accept,
      encodeTerms({ credit: granted, max: Math.min(LONGEST, client.maxPayload) }),
    );
  }

  #refuse(peer: string, reason: ErrorReason, message: string): void {
    const content = encodeRefusal({ reason, message });
    const answer = createMessage(0, MessageType.refuse, content.length);
    answer.set(content, HEADER);
    this.#options.client.publish(peer, answer, '');
  }
}

/** The queue group of a name: a request reaches one of the nodes that listen under that name. */
const QUEUE = 'trunkline';
/** Maximum number of dials that may wait for their confirmation; further dials are refused. */
const MOST_PENDING = 256;
/** The default handshake timeout, in milliseconds, if the transport sets none. */
const HANDSHAKE_TIMEOUT = 5_000;
