// The inputs and outputs of a partial view.

import type { Random, TransportError } from '@trunkline/transport-core';
import type { PartialViewMessage } from './message.ts';
import type { PartialViewOptions } from './options.ts';

/** An input of a partial view: a command in the imperative, or a report in the past tense. */
export type PartialViewInput =
  /**
   * Enters the overlay through the first contact that answers. The contacts are asked one after the
   * other. Also works after `leave`.
   */
  | { readonly type: 'join'; readonly contacts: readonly string[] }
  /**
   * The address book or discovery found nodes on this topic. They are asked for links if the views
   * don't help, and to merge partitions. `isChosen` is false if this node did not choose them, see
   * `Contacts`.
   */
  | { readonly type: 'found'; readonly nodes: readonly string[]; readonly isChosen: boolean }
  /** A message came from a node. Malformed messages are ignored. */
  | { readonly type: 'received'; readonly from: string; readonly message: PartialViewMessage }
  /**
   * The link to a node failed, or sending to it did. A passive peer is forgotten, so don't report
   * an idle connection that ended cleanly.
   */
  | { readonly type: 'lost'; readonly peer: string; readonly error: TransportError | undefined }
  /** Informs a node that it is not a neighbor, after it sent something that only neighbors send. */
  | { readonly type: 'reject'; readonly peer: string }
  /**
   * Drops a useless neighbor. Only a node that this node chooses itself can take its place, even if
   * others ask for it. During `denyWindow`, the dropped peer does not return to any view unless it
   * asks for a link itself.
   */
  | { readonly type: 'dismiss'; readonly peer: string }
  /** The score of a neighbor has fallen to 0: looks for a node to replace it. */
  | { readonly type: 'distrusted' }
  /** Asks one node outside both views for a link, because the neighbors may all be useless. */
  | { readonly type: 'seek' }
  /**
   * A neighbor passes messages on. When links must be dropped, neighbors that pass nothing on go
   * first.
   */
  | { readonly type: 'gave'; readonly peer: string }
  /**
   * Leaves the overlay: sends the neighbors other peers that they can link to, and accepts no more
   * links.
   */
  | { readonly type: 'leave' }
  /** Does what is due. It may come early or late. */
  | { readonly type: 'wake' };

/** An output of a partial view. */
export type PartialViewOutput =
  /**
   * Send a message to a node, and dial it if there is no link. Messages to one node keep their
   * order. A failure is reported by the input `lost`, now or later.
   */
  | { readonly type: 'send'; readonly to: string; readonly message: PartialViewMessage }
  /** A peer has become a neighbor. */
  | { readonly type: 'neighbor-up'; readonly peer: string }
  /** A peer is no longer a neighbor. `error` is the error of the input `lost`. */
  | {
      readonly type: 'neighbor-down';
      readonly peer: string;
      readonly cause: DownCause;
      readonly error: TransportError | undefined;
    };

/**
 * The reason why a peer is no longer a neighbor:
 * - `lost`: its link failed
 * - `evicted`: this node gave its place to another peer
 * - `disconnected`: the peer gave this node's place to another, or ended the link
 * - `left`: the peer leaves the overlay
 * - `closed`: this node leaves the overlay
 */
export type DownCause = 'lost' | 'evicted' | 'disconnected' | 'left' | 'closed';

/** The arguments that a partial view is constructed with. */
export interface PartialViewSetup {
  /** This node's id. */
  readonly self: string;
  readonly random: Random;
  /** The current time. All times are milliseconds of a monotonic clock. */
  readonly now: number;
  readonly options?: PartialViewOptions | undefined;
  /**
   * Returns true if the score of a node is 0. Such a node is the last to be asked for a link and the
   * first to be evicted, and it takes no other node's place. If absent, all nodes are trusted.
   */
  readonly isDistrusted?: ((peer: string) => boolean) | undefined;
}
