// The session of a topic as its parts see it: their shared settings, and access to the overlay, the
// peers and the readers.

import type { Codec, TransportError } from '@trunkline/transport-core';
import type { MessageId } from '../messages/message-id.ts';
import type { Body } from '../overlay/body.ts';
import type { Overlay, OverlayInput, OwnMessage } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { MessageDropReason, Unsent } from '../types.ts';
import type { Differences, DifferencesInput } from './differences.ts';
import type { TopicNode, ViewSession } from './topic-node.ts';

export interface TopicContext extends ViewSession {
  readonly codec: Codec<unknown, any>;
  /** Maximum size of a message in bytes. */
  readonly limit: number;
  readonly node: TopicNode;
  /** The state of the overlay; undefined until gossip has started. */
  readonly overlay: Overlay | undefined;
  readonly differences: Pick<Differences, 'isAny' | 'isApart' | 'addFailures'>;
  /** Number of connected peers on the topic that may become neighbors. */
  readonly candidates: number;
  /** Returns the number of this node's life on the topic. */
  readonly epoch: () => number;

  /** Gives the overlay an input. */
  feed(now: number, input: OverlayInput): void;
  /** Publishes a message over the overlay. Returns the neighbors to which it was handed. */
  spread(message: OwnMessage, receipts: number, now: number): readonly string[];
  /** Offers a message to a neighbor. Returns true if it was handed to the neighbor. */
  offer(peer: string, message: OwnMessage, now: number): boolean;
  /** Called when a peer has become a neighbor: offers it the messages that wait for a neighbor. */
  offerTo(nodeId: string): void;

  /** Sends or queues a message. Returns undefined, or the reason if neither was possible. */
  push(to: string, push: Push<Body>, lost?: () => void): Unsent | undefined;
  /** Returns true if the peer accepts messages of that size on the topic, as far as is known. */
  takes(nodeId: string, size: number): boolean;
  /** Called when a message could not be sent to a peer. */
  unsent(reason: Unsent, push: Pick<Push<Body>, 'id' | 'size'>, to: string): void;
  /** Returns the error for a message that could not be sent. */
  notSent(reason: Unsent, to: string, size: number): TransportError;
  /**
   * Called when a peer's terms have become known, or when the peer appears not to know this node's
   * terms.
   */
  compare(now: number, input: DifferencesInput): void;

  /**
   * Drops a message.
   * @param first the reason why an earlier copy was dropped, if that is the cause of this drop.
   */
  drop(reason: MessageDropReason, id: MessageId, from: string, first?: MessageDropReason): void;
  misbehaved(nodeId: string, what: string, isToBlame?: boolean): void;
  failed(error: unknown): void;
}
