// Whom a Plumtree machine talks to: the driver, or a simulation.

import type { MessageId } from '../messages/message-id.ts';
import type { Control, Push } from './message.ts';

export interface DeliveryMeta {
  readonly id: MessageId;
  /** `messageKey` of the id. */
  readonly key: string;
  /** Who published it, as the id says. */
  readonly origin: string;
  /** The peer that it came from: the last hop. */
  readonly from: string;
  /** Links that it passed. */
  readonly hops: number;
}

/**
 * What a peer did that an honest one doesn't, or seldom. It is told once a second a peer and kind at most; what follows is for the host to say.
 * - `malformed`: a message that is none. It was ignored.
 * - `notice-flood`: more notices than a second's, or more unknown ids outstanding than a peer's. The excess was ignored.
 * - `graft-flood`: more grafts than a second's, or one message too often. The excess was ignored.
 * - `broken-promise`: it gave notice of a message and didn't send it when asked, though the link had time for it.
 * - `mute`: it gets notices and neither asks for a message, nor sends one, nor gives notice of one: it takes from others and passes nothing on.
 * - `conflict`: it sent a second content under an id. It may be honest: then the first was the forged one.
 * - `impostor`: it sent a message in this node's name that this node didn't publish. It may have been deceived itself.
 * - `origin-flood`: it brought messages of more new publishers in `idTime` than an honest node
 *   remembers. The excess was ignored, and the host should disconnect it.
 */
export type Misbehaviour = 'malformed' | 'notice-flood' | 'graft-flood' | 'broken-promise' | 'mute' | 'conflict' | 'impostor' | 'origin-flood';

/** It may call the machine back at once. It must not throw. */
export interface PlumtreeHost<P> {
  /**
   * Pushes a message. False: there is no room now. The peer then gets a notice instead, and nothing is pushed to it before the host says
   * `writable`.
   */
  trySend(to: string, message: Push<P>): boolean;
  /**
   * Sends a control message. False: not even that has room. Notices are then kept until `writable` is said; a graft goes to the next peer, and
   * a prune is said again with the next duplicate.
   */
  send(to: string, control: Control): boolean;
  /** A message is here for the first time. It has been passed on already. */
  deliver(message: Push<P>, meta: DeliveryMeta): void;
  /** The link became one of the tree. */
  grafted?(peer: string): void;
  /** The link is no longer one of the tree. */
  pruned?(peer: string): void;
  /** That peer has a message, as it says by a push or a notice: it gets some from elsewhere, and passes them on. */
  gave?(peer: string): void;
  /** A message came once more. */
  duplicate?(id: MessageId, from: string): void;
  /**
   * A message was refused: of an earlier life of its origin or too late (`old`), no room for
   * another origin (`full`), without a signature in the name of an origin that signs (`unsigned`),
   * or in this node's name (`own`).
   */
  dropped?(id: MessageId, from: string, reason: 'old' | 'full' | 'unsigned' | 'own'): void;
  misbehaved?(peer: string, what: Misbehaviour): void;
}
