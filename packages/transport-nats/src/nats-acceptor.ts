// The listening end: answers requests to dial without remembering them, and hands a connection over
// when its dialer confirms the dial with the first bytes of the stream.

import type { Clock, ErrorReason, Random, TransportError } from '@trunkline/transport-core';
import type { ListenOptions, StreamConnection } from '@trunkline/transport-core/backend';
import { DialCookies } from './dial-cookies.ts';
import {
  checkRequest,
  createMessage,
  decodeConfirmation,
  encodeAcceptance,
  encodeRefusal,
  HEADER,
  MessageType,
  writeNumber,
} from './message.ts';
import { type LinkOwner, LONGEST, MessageLink } from './message-link.ts';
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
  /** The options of `listen`. A dialer has at least `timeout` to confirm, by default 5,000 ms. */
  readonly listen: Partial<ListenOptions>;
  readonly accept: (connection: StreamConnection) => void;
  /**
   * Called if requests or confirmations can't arrive anymore, because the connection to the server
   * is lost or the server forbids a subject. Called at most once, and not after `retire`.
   */
  readonly failed: (error: TransportError) => void;
  /**
   * Called if the server forbids a publication for whose subject nothing else listens, such as an
   * answer to a dial. Not called after `close`.
   */
  readonly acceptFailed: (error: TransportError) => void;
}

/**
 * Accepts connections. Names on a broker cost nothing, so a dial takes no place here until it is
 * confirmed. The transport acquires the handshake slot when it gets the connection.
 */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #cookies: DialCookies;
  /** The subject to which dialers send their confirmations. */
  readonly #door: string;
  readonly #endRequests: Unsubscribe;
  readonly #endConfirmations: Unsubscribe;
  readonly #forget: () => void;
  #isRetired = false;
  #isClosed = false;

  constructor(options: AcceptorOptions) {
    this.#options = options;
    const { client, subjects, name, inbox, clock, random } = options;
    this.#cookies = new DialCookies(random, clock, options.listen.timeout ?? HANDSHAKE_TIMEOUT);
    this.#door = `${inbox}.${randomId(random)}`;
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
    // If this node may not receive confirmations, it would take dials from other instances and
    // complete none.
    const confirmations: SubjectListener = {
      message: (data, reply) => this.#confirm(data, reply()),
      noResponders: () => {},
      failed,
    };
    this.#endRequests = client.subscribe(subjects.dial(name), requests, QUEUE);
    this.#endConfirmations = client.subscribe(this.#door, confirmations);
    this.#forget = client.refusedFor('', { failed: options.acceptFailed });
  }

  get client(): NatsClient {
    return this.#options.client;
  }

  /** Stops listening. Messages that the server has sent already are refused. */
  close(): void {
    this.#isClosed = true;
    this.retire();
    this.#endConfirmations(true);
    this.#forget();
  }

  /** Answers no more dials. Those that were answered may still be confirmed, until `close`. */
  retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#endRequests(true);
  }

  #request(data: Uint8Array, peer: string): void {
    const { client, subjects } = this.#options;
    // There is nobody to notify.
    if (subjects.nodeOf(peer) === undefined) return;
    if (this.#isClosed) return this.#refuse(0, peer, 'closed', STOPPED);
    const problem = checkRequest(data);
    if (problem !== undefined)
      return this.#refuse(0, peer, 'malformed', `the request is wrong: ${problem}`);
    const max = Math.min(LONGEST, client.maxPayload);
    const acceptance = encodeAcceptance({ max, cookie: this.#cookies.issue(peer) });
    this.#answer(0, peer, MessageType.accept, acceptance, this.#door);
  }

  #confirm(data: Uint8Array, peer: string): void {
    const { client, subjects, inbox, clock, random, accept, listen } = this.#options;
    const node = subjects.nodeOf(peer);
    if (node === undefined || data[4] !== MessageType.confirm) return;
    if (this.#isClosed) return this.#refuse(1, peer, 'closed', STOPPED);
    const confirmation = decodeConfirmation(data.subarray(HEADER));
    if (typeof confirmation === 'string')
      return this.#refuse(1, peer, 'malformed', `the confirmation is wrong: ${confirmation}`);
    const { max, cookie, credit, first } = confirmation;
    // A first message that is longer than a message of NATS arrives in parts.
    const isPart = data.length >= Math.min(LONGEST, client.maxPayload, max);
    const problem = isPart ? undefined : listen.screen?.(first);
    if (problem !== undefined) return this.#refuse(1, peer, problem.reason, problem.message);
    if (!this.#cookies.isValid(peer, cookie))
      return this.#refuse(1, peer, 'handshake_timeout', 'the cookie is not valid, or has expired');
    const granted = client.credit.open();
    if (granted === 0)
      return this.#refuse(1, peer, 'full', 'its connections have taken all credit (maxPending)');
    const link = new MessageLink(client, `${inbox}.${randomId(random)}`, NOBODY, 1);
    link.meet(peer, max);
    const units = new Uint8Array(4);
    writeNumber(units, 0, granted);
    link.send(MessageType.credit, units);
    const connection = new NatsStreamConnection(link, `nats://${node}`, { granted, credit }, clock);
    connection.message(MessageType.data, first);
    accept(connection);
  }

  #refuse(number: 0 | 1, peer: string, reason: ErrorReason, message: string): void {
    this.#answer(number, peer, MessageType.refuse, encodeRefusal({ reason, message }), '');
  }

  /** @param number the number of the message on the subject of the dialer */
  #answer(number: 0 | 1, peer: string, type: number, content: Uint8Array, reply: string): void {
    const answer = createMessage(number, type, content.length);
    answer.set(content, HEADER);
    this.#options.client.publish(peer, answer, reply);
  }
}

/** The owner of a link before its connection. */
const NOBODY: LinkOwner = { message: () => {}, absent: () => {}, failed: () => {} };
/** The queue group of a name: a request reaches one of the nodes that listen under that name. */
const QUEUE = 'trunkline';
/** The time for a confirmation, in milliseconds, if `listen` was called without a `timeout`. */
const HANDSHAKE_TIMEOUT = 5_000;
const STOPPED = 'it has stopped listening';
