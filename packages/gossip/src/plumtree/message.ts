// What Plumtree machines say to each other (SRDS 2007, algorithms 1 to 3). How it looks on a wire is for the driver to say.

import type { MessageId } from '../messages/message-id.ts';

/** The paper's GOSSIP: a message itself. */
export interface Push<P> {
  readonly kind: 'push';
  readonly id: MessageId;
  /** How many links it has passed when it arrives: 1 from the publisher. It stays at 65,535. What peers say of it isn't proven. */
  readonly hops: number;
  /** Opaque to the machine. */
  readonly payload: P;
  /** Bytes of the payload, as the bounds of the cache count them. */
  readonly size: number;
}

/** An entry of an IHAVE. */
export interface Notice {
  readonly id: MessageId;
  /** The hops it would have, had it been pushed. */
  readonly hops: number;
}

/** The sender has these messages. */
export interface IHave {
  readonly kind: 'ihave';
  readonly notices: readonly Notice[];
}

/** Push to me from now on, and send me these again. (The paper's has one id or none; several save messages when much is recovered at once.) */
export interface Graft {
  readonly kind: 'graft';
  readonly ids: readonly MessageId[];
}

/** Don't push to me: notices will do. */
export interface Prune {
  readonly kind: 'prune';
}

/** The answer to a graft of what the sender no longer has: ask somebody else, now. (Not in the paper, where one waits in vain.) */
export interface Absent {
  readonly kind: 'absent';
  readonly ids: readonly MessageId[];
}

export type Control = IHave | Graft | Prune | Absent;

/** The largest hop count: two bytes. */
export const MOST_HOPS = 0xffff;

/** Bytes that a notice is reckoned at: an id of 44, hops of 2, and framing. */
export const NOTICE_BYTES = 48;

/** Is it a hop count? */
export function isHops(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_HOPS;
}
