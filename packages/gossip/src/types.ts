// Public types of gossip: messages and their metadata, options, results of publishing and closing,
// events and snapshots.

import type { TransportError } from '@trunkline/transport-core';

/** Metadata of a received message. */
export interface MessageMeta {
  /**
   * Unique id of the message, the same at every node. Publishing equal content twice gives two ids.
   */
  readonly id: string;
  /**
   * The node id of the publisher. Unless the message is `signed`, this is only a claim. On a full
   * mesh with one hop and without relays, however, it is always the node that sent the message.
   */
  readonly origin: string;
  /** True if the key of `origin` has signed the message: its id, topic, recipients and payload. */
  readonly signed: boolean;
  /** The node id of the peer that delivered the message: the last hop. */
  readonly from: string;
  /**
   * The number of links that the message has traveled: 1 if `from` is `origin`; otherwise as `from`
   * claims, 0 to 65,535.
   */
  readonly hops: number;
  /**
   * The number of messages that this reader missed just before this one, because more messages were
   * waiting than its `queue` holds.
   */
  readonly missed: number;
}

/** A received message and its metadata. */
export interface ReceivedMessage<T> {
  readonly message: T;
  readonly meta: MessageMeta;
}

/**
 * The verdict of a validator:
 * - `accept`: the message is delivered and passed on.
 * - `reject`: the message is neither delivered nor passed on, and the peer that sent it is reported
 *   as bad.
 * - `ignore`: the message is neither delivered nor passed on, and nobody is blamed.
 */
export type MessageVerdict = 'accept' | 'reject' | 'ignore';

/**
 * Limits of the queue of one reader. Until the reader has had a turn, the queue may hold 16,384
 * messages and 16 MiB more.
 */
export interface TopicQueueOptions {
  /** Maximum number of queued messages, 1 to 1,000,000. Default 4,096. */
  readonly messages?: number | undefined;
  /**
   * Maximum size of the queued messages as received, in bytes, 1 or more. Default 16 MiB. An empty
   * queue always takes one message, regardless of its size.
   */
  readonly bytes?: number | undefined;
  /**
   * Decides what happens when the reader has had its turn and more messages still wait than its
   * queue holds. Default 'drop-oldest'.
   * - drop-oldest: drops the messages that have waited longest
   * - drop-newest: drops the messages that came last
   * - error: ends the reader with `resource_exhausted`
   * - block: queues up to 16 times `messages` (at least 4,096 messages) and 4 times `bytes`, then
   *   drops the messages that came last. The reader never holds up other readers or publishers.
   */
  readonly policy?: 'block' | 'drop-oldest' | 'drop-newest' | 'error' | undefined;
}

/** The reaction to a full queue of a reader. */
export type QueuePolicy = NonNullable<TopicQueueOptions['policy']>;

/** Options of a topic. */
export interface TopicOptions<T> {
  /**
   * Maximum size of an encoded message in bytes, 1 to 63 MiB. Default 1 MiB, or less if the
   * `limits.message` of the transport is lower. Use the same limit at all nodes, at least 256 bytes
   * below their `limits.message`.
   */
  readonly limit?: number | undefined;
  /**
   * True if this handle publishes and never subscribes. While a topic has only such handles, this
   * node is not on the topic: it looks for subscribers and sends them its messages, but gets none.
   * Subscribing through this handle throws a TypeError. Default false.
   */
  readonly publishOnly?: boolean | undefined;
  /** The default queue for the readers of this handle. */
  readonly queue?: TopicQueueOptions | undefined;
  /**
   * Checks each message of other nodes once, before it is delivered or passed on. A validator that
   * throws, rejects or takes too long counts as `ignore`, and the sender is not blamed. It must not
   * change the message.
   */
  readonly validate?:
    | ((message: T, meta: MessageMeta) => MessageVerdict | Promise<MessageVerdict>)
    | undefined;
  /** Time limit for one validation in milliseconds. Default 1,000. */
  readonly validateTimeout?: number | undefined;
  /**
   * Maximum number of validators that run concurrently, 1 to 65,536; further messages wait in
   * `validateQueue`. A validator that took too long no longer counts, even if it still runs. With
   * 1, the messages of each peer keep their order. Default 256.
   */
  readonly validateAtOnce?: number | undefined;
  /**
   * Limits of the queue of messages on this topic that wait for a validator. Default 4,096 messages
   * and 16 MiB. Peers take turns. Beyond either limit, the peer with the most waiting messages
   * loses its newest one: it is dropped as `overloaded`, with a `dropped` event and a count in the
   * snapshot, and the peer is not blamed. Other topics are not delayed.
   */
  readonly validateQueue?:
    | { readonly messages?: number | undefined; readonly bytes?: number | undefined }
    | undefined;
}

/** Options of a reader. */
export interface SubscribeOptions {
  /** The queue of this reader. Default: the queue of the topic handle. */
  readonly queue?: TopicQueueOptions | undefined;
  /**
   * Called with each error that the reader throws, and with the error that ends the reader under
   * the policy `error`.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** A running reader. */
export interface TopicSubscription {
  /** Ends the reader and drops the messages in its queue. Idempotent. */
  close(): void;
}

/** Options for publishing one message. `to`, `except` and `any` are mutually exclusive. */
export interface PublishOptions {
  /**
   * Node ids, at most 1,024. Only these nodes get the message, neighbors or not; it goes to each
   * directly or through relays.
   */
  readonly to?: readonly string[] | undefined;
  /**
   * Node ids, at most 1,024. All nodes except these get the message; the excluded nodes may still
   * pass it on to others.
   */
  readonly except?: readonly string[] | undefined;
  /**
   * Sends the message to this many connected nodes on the topic, chosen at random; at most 1,024.
   * Another node is tried if too many messages are already waiting for the chosen node, if the
   * chosen node disconnects before the message has left or, with `min`, if the chosen node refuses
   * the message or disconnects before it has confirmed it.
   */
  readonly any?: number | undefined;
  /**
   * Waits until this many peers have confirmed the message. Without it, or with 0, no peer is asked
   * to confirm. On a partial view only neighbors are asked, so a number above its `active` links
   * throws a TypeError. With `to` and `any`, messages are sent directly, and more peers may be
   * asked. Default 0.
   */
  readonly min?: number | undefined;
  /**
   * Time limit in milliseconds for `min` and for dialing the nodes in `to`. Default 10,000. When it
   * expires, publishing with `min` rejects with `deadline_exceeded`.
   */
  readonly timeout?: number | undefined;
}

/** The result of publishing a message. */
export interface PublishResult {
  /**
   * The number of peers to which the message is on its way: a connection has taken it, it is queued
   * for the peer, it was announced to the peer, or relays are delivering it. This does not mean
   * that it arrived: messages that a connection has taken are lost if the connection is lost.
   */
  readonly queued: number;
  /**
   * Only with `min`: the number of peers that have confirmed the message so far. A peer confirms
   * when it has accepted the message (size, codec, signature, validator) and handed it to its
   * readers. All of them are also counted in `queued`.
   */
  readonly received?: number;
  /**
   * The peers to which the message could not be sent and, with `min`, the peers that did not take
   * it, each with the reason. Absent if there are no such peers.
   */
  readonly failed?: readonly {
    readonly nodeId: string;
    /**
     * The reason that the node gave for not taking the message; absent if the node could not be
     * asked.
     */
    readonly refusal?: MessageDropReason | 'not-on-topic' | undefined;
    /**
     * - `not_found`: the node is not on the topic
     * - `unavailable`: the node is not connected and can't be reached, or disconnected before it
     *   confirmed the message
     * - `deadline_exceeded`: the node was not reached within `timeout`
     * - `resource_exhausted`: too many messages are already waiting for the node, or 64 other nodes
     *   are being dialed; with the reason `too_large`, the message is above the `limits.message` of
     *   the node's transport, or above the node's limit for the topic
     * - `failed_precondition`, and others: the node uses another overlay on the topic, or it
     *   refused the message, see `refusal`
     */
    readonly error: TransportError;
  }[];
}

/** A peer to which a message could not be sent, or that did not take it. */
export type PublishFailure = NonNullable<PublishResult['failed']>[number];

/**
 * The reason why a message was dropped:
 * - not-addressed, excluded: the message is for other nodes
 * - forged: the message can't be from the node that it names as its origin, or its signature is
 *   invalid
 * - unsigned: the message has no signature, and this node accepts only signed ones
 * - unverified: the message is signed, and this node has neither `signatures.identity` nor
 *   `signatures.verify`
 * - too-large: the message is above this node's limit for the topic; with `to`, above the
 *   `limits.message` of that peer's transport, or above that peer's limit for the topic
 * - undecodable: the codec rejects the message
 * - rejected, ignored, timeout: the validator gave this verdict, or took too long
 * - overloaded: too many messages wait for the validator (`validateQueue`)
 * - refused: the message was dropped before, or its sender has recently sent too many forgeries for
 *   this one to be examined
 * - old: the message came too late to determine whether it is a duplicate, or belongs to an earlier
 *   life of its publisher
 * - full: there are too many publishers to remember one more
 * - own: the message claims to be from this node, which did not publish it
 * - stranger: the sender is not a neighbor
 * - no-room: too many messages are already waiting for a peer
 */
export type MessageDropReason =
  | 'not-addressed'
  | 'excluded'
  | 'forged'
  | 'unsigned'
  | 'unverified'
  | 'too-large'
  | 'undecodable'
  | 'rejected'
  | 'ignored'
  | 'timeout'
  | 'overloaded'
  | 'refused'
  | 'old'
  | 'full'
  | 'own'
  | 'stranger'
  | 'no-room';

/** The reason why a node did not take a message: it dropped the message, or is not on the topic. */
export type Refusal = MessageDropReason | 'not-on-topic';

/**
 * The reason why a message was not sent to a peer: too many messages are already waiting for the
 * peer, or the message is above the `limits.message` of the peer's transport or above the peer's
 * limit for the topic.
 */
export type Unsent = 'no-room' | 'too-large';

/**
 * An event on a topic. Events arrive in the order in which they happened. `topic` is the name of
 * the topic, or its 32 bytes in hex.
 */
export type GossipEvent =
  /** This node joined a topic. */
  | { readonly type: 'joined'; readonly topic: string }
  /** This node left a topic. */
  | { readonly type: 'left'; readonly topic: string }
  /** A node became a neighbor: this node exchanges messages of the topic with it. */
  | { readonly type: 'neighborUp'; readonly topic: string; readonly nodeId: string }
  /** A node is no longer a neighbor. If its connection was lost, `error` is the reason. */
  | {
      readonly type: 'neighborDown';
      readonly topic: string;
      readonly nodeId: string;
      /**
       * The reason why the peer is no longer a neighbor:
       * - `lost`: the connection to it was lost
       * - `left`: the peer left the topic
       * - `evicted`: this node gave its place to another peer, or dropped it as useless
       * - `disconnected`: the peer gave the place of this node to another, or ended the link
       * - `closed`: this node left the topic
       * - `differs`: the peer turned out to use another overlay
       */
      readonly cause: 'lost' | 'left' | 'evicted' | 'disconnected' | 'closed' | 'differs';
      readonly error?: TransportError | undefined;
    }
  /**
   * With a topic: a reader of the topic was too slow. `missed` is the total number of messages that
   * the reader has missed; the event comes with the first missed message and each time the number
   * doubles. Without a topic: the reader of these events was too slow, and has missed `missed`
   * events.
   */
  | { readonly type: 'lagged'; readonly topic?: string | undefined; readonly missed: number }
  /** A message was delivered to the readers of this node. */
  | {
      readonly type: 'delivered';
      readonly topic: string;
      readonly id: string;
      readonly origin: string;
      readonly signed: boolean;
      readonly from: string;
      readonly hops: number;
    }
  /** A known message arrived again. */
  | {
      readonly type: 'duplicate';
      readonly topic: string;
      readonly id: string;
      readonly from: string;
    }
  /** A message was not delivered or, with `to`, not sent. */
  | {
      readonly type: 'dropped';
      readonly topic: string;
      readonly reason: MessageDropReason;
      readonly id: string;
      readonly from?: string | undefined;
      readonly to?: string | undefined;
    }
  /**
   * Messages are now pushed over the link to a neighbor (`grafted`), or no longer (`pruned`). Only
   * with `partialView`.
   */
  | { readonly type: 'grafted' | 'pruned'; readonly topic: string; readonly nodeId: string }
  /**
   * A peer is set up differently from this node on the topic. The peer is not penalized, and both
   * ends report it.
   * - limit: maximum size of a message in bytes. Longer messages are not sent to the peer with the
   *   lower limit, and are dropped there (`too-large`).
   * - overlay: messages to all are not exchanged with the peer; messages to a list (`to`) are.
   * - life: the peer remembers a later life (start) of this node (`theirs`) than the present one.
   *   Nodes that get messages through this peer would then regard messages of this life as old, so
   *   this node continues under a later number, unless `theirs` is too far ahead to be plausible.
   *   Only this node reports it.
   */
  | {
      readonly type: 'differs';
      readonly topic: string;
      readonly nodeId: string;
      readonly what: 'limit' | 'overlay' | 'life';
      readonly ours: string | number;
      readonly theirs: string | number;
    }
  /**
   * A peer did something that honest peers never or rarely do. `what` is a reason for a `dropped`
   * message, a `Misbehavior` of Plumtree (plumtree/message.ts), or one of these:
   * - origin-flood: the peer named more publishers than a node remembers, and was disconnected
   * - impostor: the peer brought a message that claims to be from this node; it is not blamed
   */
  | {
      readonly type: 'misbehaved';
      readonly topic: string;
      readonly nodeId: string;
      readonly what: string;
    }
  /** A reader, a validator or a codec of this node threw, or its `store` failed. */
  | { readonly type: 'failed'; readonly topic: string; readonly error: unknown };

/** The reason why a peer is no longer a neighbor. */
export type NeighborDownCause = Extract<GossipEvent, { readonly type: 'neighborDown' }>['cause'];
