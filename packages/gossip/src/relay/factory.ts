// How gossip and the driver of relays see each other. Gossip imports no code of relays: a program
// passes it as the value of the option `relay`.

import type { Peers } from '@trunkline/peers';
import type { Remote, Transport } from '@trunkline/transport-core';
import type { MessageId } from '../messages/message-id.ts';
import type { Body } from '../overlay/body.ts';
import type { Push } from '../plumtree/message.ts';
import type { gossipProtocol } from '../protocol.ts';
import type { RelaySnapshot } from '../snapshots.ts';
import type { TopicKey } from '../topics/topic-key.ts';
import type { Unsent } from '../types.ts';
import type { Envelope } from '../wire/frame.ts';
import type { Receipt } from '../wire/relay-frames.ts';

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
  readonly members: {
    remoteOf(nodeId: string): Remote | undefined;
    isOn(nodeId: string, topic: string): boolean | undefined;
    push(to: string, topic: TopicKey, push: Push<Body>): Unsent | undefined;
    acknowledge(to: string, request: Uint8Array): void;
  };
  /** This node's topics, by their keys in hex. */
  readonly sessions: ReadonlyMap<string, RelayTopic>;
  /** Arranges a call of `wake` at that time or earlier. */
  readonly dueBy: (time: number) => void;
}

/** A topic of this node, as relays see it. */
export interface RelayTopic {
  readonly limit: number;
  /** False if this node only publishes on the topic. */
  readonly isMember: boolean;
  isKnown(id: MessageId, now: number): boolean;
  /** Handles a message from a relay. Returns false if the message was refused at once. */
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
