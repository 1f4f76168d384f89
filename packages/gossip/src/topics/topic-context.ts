// The session of a topic as its parts see it (publisher.ts, incoming.ts, differences.ts): their
// shared settings, and access to the overlay, the peers and the readers. TopicSession implements
// it. The second half is this node as a session sees it.

import type { Clock, Codec, Random, TransportError } from '@trunkline/transport-core';
import type { EventHub, Reporter } from '@trunkline/transport-core/internal';
import type { PartialViewMessage } from '../hyparview/message.ts';
import type { MessageId } from '../messages/message-id.ts';
import type { SeenVerdict } from '../messages/seen-messages.ts';
import type {
  Body,
  Overlay,
  OverlayFactory,
  OverlayInput,
  OwnMessage,
} from '../overlay/overlay.ts';
import type { Control, Push } from '../plumtree/message.ts';
import type { TopicKey } from '../protocol.ts';
import type { Signatures } from '../signatures/signatures.ts';
import type { GossipEvent, PublishFailure, Unsent } from '../types.ts';

/** Settings that all nodes of a topic should share. */
export interface TopicTerms {
  /** Name of the overlay. */
  readonly overlay: string;
  /** Maximum size, in bytes, of a message that the node accepts. */
  readonly limit: number;
}

export interface TopicContext {
  readonly key: TopicKey;
  readonly due: number;
  readonly codec: Codec<unknown, any>;
  /** Maximum size of a message in bytes. */
  readonly limit: number;
  readonly node: TopicNode;
  /** The state of the overlay; undefined until gossip has started. */
  readonly overlay: Overlay | undefined;
  /** The peers whose settings differ; see `Differences`. */
  readonly differences: {
    /** Returns true if the peer uses another overlay, so that it can't be a neighbor. */
    isApart(nodeId: string): boolean;
    introduce(peer: string, now: number): void;
  };
  /** The connected peers on the topic. Those with another overlay can't become neighbors. */
  readonly interested: readonly string[];
  /** The number of this node's life on the topic. */
  readonly life: { readonly epoch: number };
  /** Returns the life that must be sent to a peer. */
  lifeOf(nodeId: string): number | undefined;

  /** Tells the overlay that a connected peer is on the topic. */
  enter(peer: string, now: number): void;
  /** Gives the overlay an input, if gossip has started, and carries out its outputs. */
  handle(now: number, input: OverlayInput): void;
  /** Like `handle`, and arranges the next wake-up. */
  feed(now: number, input: OverlayInput): void;
  /** Publishes a message over the overlay; `receipts` peers must confirm it. */
  spread(message: OwnMessage, receipts: number, now: number): Handed;
  /** Offers a message to a neighbor. Returns true if it was handed to the neighbor. */
  offer(peer: string, message: OwnMessage, now: number): boolean;

  /** Sends or queues a message. Returns undefined, or the reason if neither was possible. */
  push(to: string, push: Push<Body>, lost?: () => void): Unsent | undefined;
  /** Returns true if the peer accepts messages of that size on the topic, as far as is known. */
  takes(nodeId: string, size: number): boolean;
  /** Called when a message of any publisher could not be sent to a peer: counts and reports it. */
  unsent(reason: Unsent, push: Pick<Push<Body>, 'id' | 'size'>, to: string): void;
  /** Returns the error for a message that could not be sent. */
  notSent(reason: Unsent, to: string, size: number): TransportError;

  /**
   * Returns what is known of a message. `own` means that it has this node's id, and this node did
   * not publish it.
   * @param from the peer that it came from; undefined charges no peer for a new publisher
   */
  look(id: MessageId, now: number, from?: string): SeenVerdict | 'own';
  /** Looks up a message and remembers it. */
  note(id: MessageId, now: number, from: string): SeenVerdict | 'own';

  /** Reports misbehavior, and lowers the peer's score unless `isToBlame` is false. */
  misbehaved(nodeId: string, what: string, isToBlame?: boolean): void;
  /** Reports an error of the program: its validator, its codec or its reader threw. */
  failed(error: unknown): void;
  /**
   * Called when a reader was closed: leaves the topic if nobody uses it any more, and ceases to be
   * a member of it if nobody reads it.
   */
  review(): void;
}

/** The neighbors to which a message was handed, and the peers to which it could not be sent. */
export interface Handed {
  readonly id: MessageId;
  to: readonly string[];
  readonly failed: PublishFailure[];
  /** Nodes that became neighbors meanwhile. They are offered waiting messages afterwards. */
  readonly newcomers: string[];
}

// This node as its topics see it. The driver of gossip implements these interfaces.

/** The connected peers: which topics they are on, and the messages to them. */
export interface TopicMembers {
  /**
   * Returns the connected peers that have not yet announced their topics, without those that have
   * taken too long.
   */
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
   * topic or has taken too long to announce its topics, and undefined if it is `pending` or not
   * connected.
   */
  isOn(nodeId: string, topic: string): boolean | undefined;
  /**
   * Sends or queues a message. Returns undefined, or the reason if neither was possible.
   * @param lost called if the message was queued, and the connection was lost before the message
   * left; or if it turned out later that it can't be sent
   */
  push(to: string, topic: TopicKey, push: Push<Body>, lost?: () => void): Unsent | undefined;
  /**
   * Sends a message now, or queues it if it is longer than 4 KiB and nothing waits. Returns
   * undefined, or the reason why not. If that is `no-room`, the overlays get the input `writable`
   * once there is room, unless the peer is gone.
   */
  tryPush(to: string, topic: TopicKey, push: Push<Body>): Unsent | undefined;
  /** Sends or queues a control message. Returns false if there is no room. */
  control(to: string, topic: TopicKey, control: Control): boolean;
  /** Announces this node's terms on the topic to a peer; they are lost if there is no room. */
  terms(to: string, topic: TopicKey, terms: TopicTerms, life: number | undefined): void;
  /** Sends or queues a receipt; it is lost if there is no room. */
  acknowledge(to: string, receipt: Uint8Array): void;
}

/** This node: its identity, its peers, its lives and its timer. */
export interface TopicNode {
  readonly self: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub<GossipEvent>;
  /** Reports messages to the observer of the transport. */
  readonly reporter: Reporter;
  readonly overlay: OverlayFactory;
  readonly signatures: Signatures;
  readonly members: TopicMembers & {
    /** Sends a partial-view message, and dials the node first if it is not connected. */
    view(to: string, session: TopicContext, message: PartialViewMessage): void;
  };
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
  /** Returns the highest life that is credible; see `SeenMessagesOptions.latest`. */
  latestLife(): number;
  /** Returns true if the peer has proven its id. */
  isProven(nodeId: string): boolean;
  /**
   * Has relays bring a message to these nodes. Returns false if it must be sent to each node
   * directly instead.
   */
  relay(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean;
  /**
   * Marks a node as a neighbor on a topic, or removes the mark. Connections to neighbors may be
   * kept from being closed.
   */
  neighbor(nodeId: string, topic: string, isOne: boolean): void;
  /** Returns true if the score of a node is 0. */
  isDistrusted(nodeId: string): boolean;
  /** Reports that a node misbehaved. */
  misbehaved(nodeId: string): void;
  /** Disconnects a node that did something that no honest node does, and refuses it for a while. */
  cut(nodeId: string, why: string): void;
  /** Arranges a call of `wake` at that time or earlier. */
  dueBy(time: number): void;
  /** Called when this node has become a member of a topic, or now only publishes on it. */
  membershipChanged(): void;
  /** Called when the topic no longer has any handles or readers. */
  unused(session: TopicContext): void;
}
