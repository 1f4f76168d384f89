// This node as its topics see it. The driver of gossip implements these interfaces.

import type { Clock, Random, TransportError } from '@trunkline/transport-core';
import type { EventHub, Reporter } from '@trunkline/transport-core/internal';
import type { PartialViewMessage } from '../hyparview/message.ts';
import type { Body } from '../overlay/body.ts';
import type { OverlayFactory } from '../overlay/overlay.ts';
import type { Control, Push } from '../plumtree/message.ts';
import type { Signatures } from '../signatures/signatures.ts';
import type { GossipEvent, Unsent } from '../types.ts';
import type { TopicTerms } from './differences.ts';
import type { TopicKey } from './topic-key.ts';

/** The part of a topic's session that is used to send partial-view messages. */
export interface ViewSession {
  readonly key: TopicKey;
  readonly isOver: boolean;
  readonly due: number;
  /** Returns the life that must be sent to a peer. */
  lifeOf(nodeId: string): number | undefined;
  /** Called when a node could not be reached. */
  unreachable(nodeId: string, error: TransportError, now: number): void;
}

/** The connected peers: which topics they are on, and the messages to them. */
export interface TopicMembers {
  /** Returns the connected peers that have not yet announced their topics. */
  pending(): readonly string[];
  /** Returns the connected peers that are on the topic. */
  interested(topic: string): string[];
  /**
   * Returns true if this node dialed the peer for a reason other than that members of a topic named
   * it.
   */
  isChosen(nodeId: string): boolean;
  /**
   * Connects to a node. Resolves to true if it is on the topic. Rejects if it can't be reached
   * within `timeout` milliseconds.
   */
  reach(nodeId: string, topic: string, timeout: number): Promise<boolean>;
  /**
   * Returns true if a node is connected and on the topic, false if it is connected but not on the
   * topic, and undefined if that is not known yet or the node is not connected.
   */
  isOn(nodeId: string, topic: string): boolean | undefined;
  /**
   * Sends or queues a message. Returns undefined, or the reason if neither was possible.
   * @param lost called if the message was queued, and the connection was lost before the message
   * left.
   */
  push(to: string, topic: TopicKey, push: Push<Body>, lost?: () => void): Unsent | undefined;
  /** Sends a message now. Returns undefined, or the reason why not. */
  tryPush(to: string, topic: TopicKey, push: Push<Body>): Unsent | undefined;
  /** Sends or queues a control message. Returns false if there is no room. */
  control(to: string, topic: TopicKey, control: Control): boolean;
  /** Announces this node's terms on the topic to a peer. */
  terms(
    to: string,
    topic: TopicKey,
    terms: TopicTerms & { readonly life: number | undefined },
  ): void;
  /** Sends or queues a receipt. */
  acknowledge(to: string, receipt: Uint8Array): void;
}

/** This node: its identity, its peers, its lives and its timer. */
export interface TopicNode {
  readonly self: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub<GossipEvent>;
  /** Reports messages to the observer of the transport. */
  readonly reporter: Pick<
    Reporter,
    'hearsPublications' | 'publish' | 'hearsDeliveries' | 'delivered'
  >;
  readonly overlay: OverlayFactory;
  readonly signatures: Signatures;
  readonly members: TopicMembers;
  /** Maximum size, in bytes, of a message that fits into the transport's `limits.message`. */
  readonly longest: number;
  readonly isStarted: boolean;
  /** True if payloads of others may be kept and sent on later. */
  readonly isKept: boolean;
  /** Returns the number of a new life. */
  epoch(): number;
  /**
   * Called when a peer remembers that life of this node. Returns the number of a later life;
   * undefined if the peer is not believed.
   */
  outlived(life: number, from: string): number | undefined;
  /** Returns the highest life that an unsigned message may claim. */
  latestLife(): number;
  /** Returns true if the peer has proven its id. */
  isProven(nodeId: string): boolean;
  /**
   * Has relays bring a message to these nodes. Returns false if it must be sent to each node
   * directly instead.
   */
  relay(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean;
  /** Sends a partial-view message, and dials the node first if it is not connected. */
  view(to: string, session: ViewSession, message: PartialViewMessage): void;
  /**
   * Marks a node as a neighbor, or removes the mark. Connections to neighbors may be kept from
   * being closed.
   */
  neighbor(nodeId: string, isOne: boolean): void;
  /** Returns true if the score of a node is 0. */
  isDistrusted(nodeId: string): boolean;
  /** Reports that a node misbehaved. */
  misbehaved(nodeId: string): void;
  /** Disconnects a node that did something that no honest node does, and refuses it for a while. */
  cut(nodeId: string, why: string): void;
  /** Arranges a call of `wake` at that time or earlier. */
  dueBy(time: number): void;
  /** Called when this node has become a member of one of its topics, or only publishes on it now. */
  membershipChanged(): void;
  /** Called when the topic no longer has any handles or readers. */
  unused(session: ViewSession): void;
}
