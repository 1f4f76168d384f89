// Sends messages between partial views to any node of the topic, dialing nodes that are not
// connected.

import type { Peers } from '@trunkline/peers';
import { type Clock, TransportError } from '@trunkline/transport-core';
import type { PartialViewMessage } from '../hyparview/message.ts';
import type { TopicContext } from '../topics/topic-context.ts';
import type { ConnectedMembers } from './members.ts';
import { addressesFor, sizeOf } from './message-addresses.ts';
import type { Parcel } from './peer-outbox.ts';

export class ViewMessenger {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #peers: Pick<Peers, 'addressOf'>;
  readonly #members: Pick<ConnectedMembers, 'dials' | 'outboxOf'>;
  /** Node id → number of messages that wait for the dial. */
  readonly #dialed = new Map<string, number>();

  constructor(
    clock: Pick<Clock, 'now'>,
    peers: Pick<Peers, 'addressOf'>,
    members: Pick<ConnectedMembers, 'dials' | 'outboxOf'>,
  ) {
    this.#clock = clock;
    this.#peers = peers;
    this.#members = members;
  }

  send(to: string, session: TopicContext, message: PartialViewMessage): void {
    const members = this.#members;
    const given = Object.fromEntries(
      Object.entries(message).filter(([, value]) => value !== undefined),
    );
    const addresses = addressesFor(message, this.#peers);
    const life = session.lifeOf(to);
    const request = {
      topic: session.key.hex,
      message: given,
      ...(addresses === undefined ? {} : { addresses }),
      ...(life === undefined ? {} : { life }),
    };
    const parcel: Parcel = { method: 'view', request, size: VIEW_BYTES + sizeOf(addresses) };
    const outbox = members.outboxOf(to);
    if (outbox !== undefined) {
      if (!outbox.put(parcel))
        this.#unreachable(
          session,
          to,
          new TransportError('resource_exhausted', `the queue for node ${to} is full`, {
            target: to,
          }),
        );
      return;
    }
    // A farewell message is not worth a dial.
    if (session.isOver) return;
    this.#dialed.set(to, (this.#dialed.get(to) ?? 0) + 1);
    const over = () => {
      const left = this.#dialed.get(to)! - 1;
      if (left > 0) this.#dialed.set(to, left);
      else this.#dialed.delete(to);
    };
    members.dials
      .seek(to, DIAL)
      .finally(over)
      .then(
        () => {
          if (!session.isOver) members.outboxOf(to)?.put(parcel);
        },
        (error) => this.#unreachable(session, to, error as TransportError),
      );
  }

  /** Returns true if the node is being dialed because a view names it. */
  isDialing(nodeId: string): boolean {
    return this.#dialed.has(nodeId);
  }

  #unreachable(session: TopicContext, nodeId: string, error: TransportError): void {
    if (session.isOver) return;
    session.unreachable(nodeId, error, this.#clock.now());
  }
}

/** Time limit of a dial for an overlay, in milliseconds. */
const DIAL = 10_000;
/**
 * Number of bytes that a message between views counts for, without addresses: ten node ids and
 * names.
 */
const VIEW_BYTES = 1_024;
