// The messages that Plumtree machines exchange (Leitão, Pereira and Rodrigues, "Epidemic Broadcast
// Trees", SRDS 2007, algorithms 1 to 3). `wire/` encodes them.

import type { MessageId } from '../messages/message-id.ts';

/** The paper's GOSSIP: a message itself. */
export interface Push<P> {
  readonly kind: 'push';
  readonly id: MessageId;
  /**
   * Number of links that the message has traveled on arrival: 1 if it comes from the publisher, at
   * most 65,535. Peers can claim any number.
   */
  readonly hops: number;
  /** The payload, which is opaque to the machine. */
  readonly payload: P;
  /** Size of the payload in bytes, for the limits of the cache. */
  readonly size: number;
}

/** An entry of an IHAVE. */
export interface Notice {
  readonly id: MessageId;
  /** The hop count that the message would have if it were pushed. */
  readonly hops: number;
}

/** The notice that the sender has these messages. */
export interface IHave {
  readonly kind: 'ihave';
  readonly notices: readonly Notice[];
}

/**
 * Asks the receiver to push to the sender from now on, and to send it these messages again. The
 * paper's GRAFT has at most one id. Here it may have several, which saves control messages when
 * many messages are recovered at once.
 */
export interface Graft {
  readonly kind: 'graft';
  readonly ids: readonly MessageId[];
}

/** Asks the receiver to stop pushing to the sender, and to send it notices instead. */
export interface Prune {
  readonly kind: 'prune';
}

/**
 * Answers a graft for messages that the sender no longer has, so that the receiver can ask another
 * peer at once. The paper has no such message, so the receiver has to wait until its timer expires.
 */
export interface Absent {
  readonly kind: 'absent';
  readonly ids: readonly MessageId[];
}

/**
 * Announces that the sender publishes on the topic without being on it: it sends its own messages
 * and notices of them, and gets none. The paper has no such node.
 */
export interface Attach {
  readonly kind: 'attach';
}

/** Any message except a push. */
export type Control = IHave | Graft | Prune | Absent | Attach;

/** The largest hop count, which takes two bytes. */
export const MOST_HOPS = 0xffff;

/** Assumed size of a notice in bytes: 44 for the id, 2 for the hops, and the rest for framing. */
export const NOTICE_BYTES = 48;

/** Returns true if the value is a hop count. */
export function isHops(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_HOPS;
}
