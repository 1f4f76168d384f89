// Sends messages between partial views to any node of the topic, dialing nodes that are not
// connected, and exchanges the addresses of the nodes that these messages name.

import type { Peers } from '@trunkline/peers';
import { RateLimit } from '@trunkline/peers/internal';
import { type Clock, TransportError } from '@trunkline/transport-core';
import { type PartialViewMessage, peersOf } from '../hyparview/message.ts';
import type { TopicContext } from '../topics/topic-context.ts';
import type { ConnectedMembers } from './members.ts';

/** The connected peers, and the dials of others. */
type Members = Pick<ConnectedMembers, 'dials' | 'outboxOf'>;

export class ViewMessenger {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #peers: Pick<Peers, 'addressOf'>;
  readonly #members: Members;
  /** Node id → number of messages that wait for the dial. */
  readonly #dialed = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now'>, peers: Pick<Peers, 'addressOf'>, members: Members) {
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
    const size = VIEW_BYTES + sizeOf(addresses);
    const outbox = members.outboxOf(to);
    if (outbox !== undefined) {
      if (outbox.put('view', request, size) === undefined) return;
      const text = `the queue for node ${to} is full`;
      const error = new TransportError('resource_exhausted', text, { target: to });
      return this.#unreachable(session, to, error);
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
          if (!session.isOver) members.outboxOf(to)?.put('view', request, size);
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

// Addresses of the nodes that a message names, so that its receiver can dial them: at most 16 nodes
// with two addresses each.

/** Addresses on the wire: for each node its id, followed by its addresses. */
export type Addresses = readonly (readonly [nodeId: string, ...addresses: string[]])[];

/** Returns the known addresses of the nodes that a message names; undefined if none is known. */
export function addressesFor(
  message: PartialViewMessage,
  peers: Pick<Peers, 'addressOf'>,
): Addresses | undefined {
  const known: [string, string][] = [];
  for (const nodeId of peersOf(message).slice(0, MOST_NODES)) {
    const address = peers.addressOf(nodeId);
    if (address !== undefined) known.push([nodeId, address]);
  }
  return known.length === 0 ? undefined : known;
}

/** Returns the number of bytes counted for these addresses in the queue to a peer. */
function sizeOf(addresses: Addresses = []): number {
  return addresses.reduce(
    (sum, entry) => sum + entry.reduce((length, text) => length + text.length + QUOTES, 0),
    0,
  );
}

/**
 * Passes the addresses that one peer sends on to the address book, which checks them. The rate is
 * limited.
 */
export class MessageAddresses {
  readonly #rate = new RateLimit(BURST, INTERVAL);

  /**
   * Reads addresses.
   * @param told the addresses as the peer sent them; may be any value
   * @param by the node id of the peer
   */
  heard(told: unknown, by: string, peers: Pick<Peers, 'learn'>, now: number): void {
    if (!Array.isArray(told)) return;
    for (const entry of told.slice(0, MOST_NODES)) {
      if (!Array.isArray(entry)) continue;
      const [nodeId, ...addresses] = entry.slice(0, 1 + MOST_ADDRESSES);
      for (const address of addresses)
        if (this.#rate.tryTake(now)) peers.learn(nodeId, address, by);
    }
  }
}

const MOST_NODES = 16;
const MOST_ADDRESSES = 2;
/**
 * Number of addresses accepted from one peer at once, and milliseconds until one more is accepted.
 * An honest peer sends a few dozen addresses per minute, a bootstrap node sends more.
 */
const BURST = 256;
const INTERVAL = 250;
/** Number of bytes that JSON adds to a string. */
const QUOTES = 3;
