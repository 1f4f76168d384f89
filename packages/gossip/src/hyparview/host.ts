// What a partial view needs of the driver that runs it.

import type { Random, TransportError } from '@trunkline/transport-core';
import type { PartialViewMessage } from './message.ts';
import type { PartialViewOptions } from './options.ts';

/**
 * Why a neighbour is none any more: `lost` its link failed, `evicted` this node gave its place to another, `disconnected` the peer did
 * so, `left` the peer leaves the overlay, `closed` this node does.
 */
export type DownCause = 'lost' | 'evicted' | 'disconnected' | 'left' | 'closed';

/** What the machine has done for it. Each may call the machine back at once. */
export interface PartialViewHost {
  /** Sends to a node, dialling it where there is no link. Messages to one node keep their order. A failure is told by `lost`, now or later. */
  send(to: string, message: PartialViewMessage): void;
  /** A new neighbour. */
  up(peer: string): void;
  /** It is none any more. `error` is what `lost` was told. */
  down(peer: string, cause: DownCause, error?: TransportError): void;
}

export interface PartialViewSetup {
  /** This node's id. */
  readonly self: string;
  readonly random: Random;
  /** The time now. Times are milliseconds of a monotonic clock. */
  readonly now: number;
  readonly host: PartialViewHost;
  readonly options?: PartialViewOptions | undefined;
}
