// The interface between a partial view and the driver that runs it.

import type { Random, TransportError } from '@trunkline/transport-core';
import type { PartialViewMessage } from './message.ts';
import type { PartialViewOptions } from './options.ts';

/**
 * The reason why a peer is no longer a neighbor:
 * - `lost`: its link failed
 * - `evicted`: this node gave its place to another peer
 * - `disconnected`: the peer gave this node's place to another, or ended the link
 * - `left`: the peer leaves the overlay
 * - `closed`: this node leaves the overlay
 */
export type DownCause = 'lost' | 'evicted' | 'disconnected' | 'left' | 'closed';

/** Services for a partial view. Each method may call the view back at once. */
export interface PartialViewHost {
  /**
   * Sends a message to a node, dialing it if there is no link. Messages to one node keep their
   * order. A failure is reported by `lost`, now or later.
   */
  send(to: string, message: PartialViewMessage): void;
  /** Called when a peer has become a neighbor. */
  up(peer: string): void;
  /** Called when a peer is no longer a neighbor. `error` is the error passed to `lost`. */
  down(peer: string, cause: DownCause, error?: TransportError): void;
}

export interface PartialViewSetup {
  /** This node's id. */
  readonly self: string;
  readonly random: Random;
  /** The current time. All times are milliseconds of a monotonic clock. */
  readonly now: number;
  readonly host: PartialViewHost;
  readonly options?: PartialViewOptions | undefined;
}
