// How gossip and the driver of relays see each other. Gossip imports no code of relays: a program
// passes it as the value of the option `relay`.

import type { Peers } from '@trunkline/peers';
import type { Remote, Transport } from '@trunkline/transport-core';
import {
  type Options,
  type OptionsInput,
  option,
  optionsSchema,
} from '@trunkline/transport-core/backend';
import type { MessageId } from '../messages/message-id.ts';
import type { Body } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { gossipProtocol, TopicKey } from '../protocol.ts';
import type { RelaySnapshot } from '../snapshots.ts';
import type { TopicMembers } from '../topics/topic-context.ts';
import type { Unsent } from '../types.ts';
import type { Envelope, Receipt } from '../wire/frame.ts';

/**
 * Relaying of long messages, for the option `relay` of `createGossip`; made by `relay()`. It
 * creates one {@link RelayDriver} for each node.
 */
export interface RelayFactory {
  createDriver(setup: RelaySetup): RelayDriver;
}

/** The arguments that a driver of relays is created with. */
export interface RelaySetup {
  /** The id of this node. */
  readonly self: string;
  readonly mount: Transport<typeof gossipProtocol>;
  readonly peers: Pick<Peers, 'report'>;
  readonly members: Pick<TopicMembers, 'isOn' | 'push' | 'acknowledge'> & {
    remoteOf(nodeId: string): Remote | undefined;
  };
  /** This node's topics, by their keys in hex. */
  readonly sessions: ReadonlyMap<string, RelayTopic>;
  /** Arranges a call of `wake` at that time or earlier. */
  dueBy(time: number): void;
}

/** A topic of this node, as relays see it. */
interface RelayTopic {
  /**
   * Called when a peer offers a message. Returns the size limit, whether the message is known, and
   * whether only its publisher may send it; undefined if this node only publishes.
   */
  offered(
    id: MessageId,
    now: number,
  ):
    | { readonly limit: number; readonly isKnown: boolean; readonly needsOrigin: boolean }
    | undefined;
  /**
   * Handles a message from a relay. Returns false if the message was refused at once, or if this
   * node only publishes.
   */
  relayed(from: string, envelope: Envelope, now: number): boolean;
  /** A message could not be sent to a peer. */
  unsent(reason: Unsent, push: Push<Body>, to: string): void;
}

/** The relays of one node, as gossip sees them. */
export interface RelayDriver {
  /**
   * Sends a message by way of relays. Returns false if it must go to each node directly instead: it
   * is too short, has too few receivers, or exceeds the limits of relaying.
   */
  send(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean;
  /** A peer confirms that it has a message. */
  confirmed(receipt: Receipt, from: string): void;
  /** A peer is gone. */
  gone(peer: string): void;
  /**
   * Receives a message and passes it on while it arrives. Resolves to an encoded report when both
   * the receiving and the passing on are over. Rejects if the message is refused.
   */
  receive(
    from: string,
    request: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Uint8Array>;
  /** Returns the number and the bytes of this node's messages that a peer may not have yet. */
  unsent(nodeId: string): { readonly messages: number; readonly bytes: number };
  /** The time at which `wake` must be called. */
  readonly due: number;
  wake(now: number): void;
  close(): void;
  snapshot(): RelaySnapshot;
}

// The options of relaying, with their defaults and limits.

/** The schema of {@link RelayOptions}. */
export const relayOptions = optionsSchema({
  /** Size in bytes above which an encoded message is relayed, 0 to 63 MiB. Default 65,536. */
  above: option.withDefault(option.integer(0, 63 * 1024 * 1024), 64 * 1024),
  /**
   * Number of nodes to which each node sends a relayed message, 1 to 64. Default 3. A message with
   * no more receivers than this is sent directly.
   */
  fanout: option.withDefault(option.integer(1, 64), 3),
  /**
   * Maximum size, in bytes, of all messages of other nodes that are being relayed here; the same
   * limit applies to this node's own. At most 64 messages of each kind are relayed at a time.
   * Messages beyond that are refused, and their origin sends them directly. Default 64 MiB.
   */
  memory: option.withDefault(option.integer(1, 2 ** 40), 64 * 1024 * 1024),
  /**
   * Milliseconds without progress after which a relay counts as stuck, and other nodes take over
   * its part. Default 5,000.
   */
  stall: option.withDefault(option.milliseconds(), 5_000),
});

/** Options for relaying long messages on a full mesh; each option has a default. */
export type RelayOptions = OptionsInput<typeof relayOptions>;

/** The complete options of relaying. */
export type RelayConfig = Options<typeof relayOptions>;
