// The interface from a Plumtree machine to its host: the driver, or a simulation.

import type { MessageId } from '../messages/message-id.ts';
import type { Control, Push } from './message.ts';

/** Where a delivered message came from. */
export interface DeliveryMeta {
  readonly id: MessageId;
  /** `messageKey` of the id. */
  readonly key: string;
  /** The node that published it, as its id says. */
  readonly origin: string;
  /** The peer that sent it to this node: the last hop. */
  readonly from: string;
  /** Links that it has passed. */
  readonly hops: number;
}

/**
 * Behavior of a peer that is wrong, or rare among honest peers. It is reported at most once a
 * second per peer and kind; the host decides what follows.
 * - `malformed`: a message that could not be understood. It was ignored.
 * - `notice-flood`: more notices than a peer may send per second, or more ids of missing messages
 *   than it may have outstanding. The excess was ignored.
 * - `graft-flood`: more ids in grafts than a peer may send per second, or one message too often.
 *   The excess was ignored.
 * - `broken-promise`: the peer gave notice of a message and didn't send it when asked, though it
 *   had time enough.
 * - `mute`: the peer gets messages or notices and neither asks for a message, nor sends one, nor
 *   gives notice of one. It takes messages and passes nothing on.
 * - `conflict`: the peer sent a second content under an id. It may be honest, and the first content
 *   the forged one.
 * - `impostor`: the peer sent a message in this node's name that this node didn't publish. It may
 *   have been deceived itself.
 * - `origin-flood`: the peer brought messages of more new publishers in `idTime` than an honest
 *   node remembers. The excess was ignored, and the host should disconnect the peer.
 */
export type Misbehavior =
  | 'malformed'
  | 'notice-flood'
  | 'graft-flood'
  | 'broken-promise'
  | 'mute'
  | 'conflict'
  | 'impostor'
  | 'origin-flood';

/**
 * The functions that a Plumtree machine calls. They may call the machine back at once, and must not
 * throw.
 */
export interface PlumtreeHost<P> {
  /**
   * Pushes a message. Returns false if there is no room now: the peer then gets a notice instead,
   * and nothing is pushed to it until the host calls `writable`.
   */
  trySend(to: string, message: Push<P>): boolean;
  /**
   * Sends a control message. Returns false if there is no room even for that. Notices are then kept
   * until the host calls `writable`, a graft goes to the next peer, and a prune is sent again with
   * the next duplicate.
   */
  send(to: string, control: Control): boolean;
  /** A message arrived for the first time. It has been passed on already. */
  deliver(message: Push<P>, meta: DeliveryMeta): void;
  /** The link became part of the tree. */
  grafted?(peer: string): void;
  /** The link is no longer part of the tree. */
  pruned?(peer: string): void;
  /**
   * The peer has a message, as a push or a notice of it shows: it gets messages from other nodes
   * and passes them on.
   */
  gave?(peer: string): void;
  /** A message came again. */
  duplicate?(id: MessageId, from: string): void;
  /**
   * A message was refused: too late, or from an earlier life of its origin (`old`); no room to
   * remember another origin (`full`); unsigned, although its origin signs (`unsigned`); or in this
   * node's name (`own`).
   */
  dropped?(id: MessageId, from: string, reason: 'old' | 'full' | 'unsigned' | 'own'): void;
  /** A peer misbehaved; see {@link Misbehavior}. */
  misbehaved?(peer: string, what: Misbehavior): void;
}
