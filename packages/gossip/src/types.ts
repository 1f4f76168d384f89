// What gossip is to its user: messages and what is known of them, what publishing comes to, and what happens.

import type { TransportError } from '@trunkline/transport-core';

/** What is known of a message besides itself. */
export interface MessageMeta {
  /** The same at every node; equal contents published twice have two. */
  readonly id: string;
  /** The node id of the publisher. Where it is not `signed` it is what the message says; on a full mesh of one hop, without relays, it is also who sent it. */
  readonly origin: string;
  /** The key of `origin` has signed it: its id, its topic, whom it is for and what it says. */
  readonly signed: boolean;
  /** The node id of the peer that it came from: the last hop. */
  readonly from: string;
  /** Links that it passed, 1 or more. */
  readonly hops: number;
  /** The number of messages that this reader missed just before this one, because more waited than its `queue` holds. */
  readonly missed: number;
}

/** A message, and what is known of it. */
export interface Received<T> {
  readonly message: T;
  readonly meta: MessageMeta;
}

/**
 * What a validator says: `accept` it is delivered, and passed on; `reject` it is neither, and who sent it is reported as bad; `ignore` it is
 * neither, and nobody is to blame.
 */
export type Verdict = 'accept' | 'reject' | 'ignore';

/**
 * What happens when a reader has had its turn and more waits for it than its queue holds:
 * - drop-oldest: the messages that have waited longest are dropped
 * - drop-newest: the messages that came last are dropped
 * - error: the reader ends with `resource_exhausted`
 * - block: up to 16 times `size` (at least 4,096 messages) and 4 times `bytes` wait; beyond that the messages that came last are dropped. Neither
 *   other readers nor publishers are held up
 */
export type QueuePolicy = 'block' | 'drop-oldest' | 'drop-newest' | 'error';

/** Bounds of what waits for one reader. Until the reader has had a turn, 16,384 messages and 16 MiB more may wait. */
export interface QueueOptions {
  /** Messages, 1 to 1,000,000. Default 4,096. */
  readonly size?: number | undefined;
  /** Bytes of the messages as they came, 1 or more. Default 16 MiB. One message always fits an empty queue. */
  readonly bytes?: number | undefined;
  /** Default 'drop-oldest'. */
  readonly policy?: QueuePolicy | undefined;
}

/** Options of a topic. */
export interface TopicOptions<T> {
  /**
   * Bytes of an encoded message at most, 1 to 63 MiB. Default 1 MiB, or less where `limits.message` of the transport is less. It should be the same at
   * all nodes, and at least 256 bytes below their `limits.message`.
   */
  readonly limit?: number | undefined;
  /** For the readers of this handle. */
  readonly queue?: QueueOptions | undefined;
  /**
   * Asked of each message of others, once, before it is delivered or passed on. One that throws, rejects, or takes too long ignores; it is not
   * the sender's fault. It must not change the message.
   */
  readonly validate?: ((message: T, meta: MessageMeta) => Verdict | Promise<Verdict>) | undefined;
  /** Milliseconds that it may take. Default 1,000. */
  readonly validateTimeout?: number | undefined;
  /** Validators at work at the same time; further messages wait (`validateQueue`). 1, which keeps their order, to 65,536. Default 256. */
  readonly validateAtOnce?: number | undefined;
  /**
   * Bounds of the messages of this topic that wait for a validator: 4,096 messages and 16 MiB by default. A message beyond either
   * is dropped as `overloaded`, which an event and the snapshot tell, and its sender is not blamed. Other topics don't wait.
   */
  readonly validateQueue?: { readonly messages?: number | undefined; readonly bytes?: number | undefined } | undefined;
}

/** Options of a reader. */
export interface SubscribeOptions {
  /** Default: the topic's. */
  readonly queue?: QueueOptions | undefined;
  /** Told of what the reader threw, and of the end by `error`. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** A reader at work. */
export interface Subscription {
  /** Ends it; what waits for it is dropped. Idempotent. */
  close(): void;
}

/** Options of one message. `to`, `except` and `any` exclude each other. */
export interface PublishOptions {
  /** Node ids: these alone get it, neighbours or not, each directly or by relays. At most 1,024. */
  readonly to?: readonly string[] | undefined;
  /** Node ids: all but these get it. They may still pass it on to others. At most 1,024. */
  readonly except?: readonly string[] | undefined;
  /** So many of the connected nodes on the topic get it, chosen at random; another is tried where too much waits for one, and where one is lost before the message has left. At most 1,024. */
  readonly any?: number | undefined;
  /**
   * Waits until so many peers have confirmed the message; without it, or with 0, no peer is asked to. On a partial view only neighbors are asked, so
   * more than its `active` links is a TypeError (`to` and `any` go directly, and may ask for more). Default 0.
   */
  readonly min?: number | undefined;
  /** Milliseconds for `min`, and for dials of `to`. Default 10,000. Past it `min` is `deadline_exceeded`. */
  readonly timeout?: number | undefined;
}

/** Why a node did not take a message: it dropped it, or is not on the topic. */
export type Refusal = DropReason | 'not-on-topic';

/** What publishing came to. */
export interface PublishResult {
  /**
   * The number of peers that the message is on its way to: a connection took it or it waits for one, the peer was told that it is here, or relays
   * are bringing it. It does not say that the message arrived: what a connection took is lost with it.
   */
  readonly queued: number;
  /**
   * Only with `min`: the number of peers that have confirmed the message by now. A peer that confirms has accepted it (size, codec, signature,
   * validator) and given it to its readers. Every one of them is in `queued`, too.
   */
  readonly received?: number;
  /** Peers that could not be sent the message, and, with `min`, those that did not take it; each with the reason. Absent if there are none. */
  readonly failed?: readonly PublishFailure[];
}

export interface PublishFailure {
  readonly nodeId: string;
  /** The reason that the node gave for not taking the message; absent if it could not be asked. */
  readonly refusal?: Refusal | undefined;
  /**
   * - `not_found`: the node is not on the topic
   * - `unavailable`: it is not connected and can't be reached, or was lost before it confirmed the message
   * - `resource_exhausted`: too much waits for it; with the reason `too_large` the message is above the `limits.message` of its
   *   transport, or above its limit for the topic
   * - `failed_precondition`, and others: it uses another overlay on the topic, or it refused the message, see `refusal`
   */
  readonly error: TransportError;
}

/**
 * Why a neighbour is none any more: `lost` its connection is gone, `left` it left the topic, `evicted` this node gave its place to another,
 * `disconnected` it did so, `closed` this node left the topic, `differs` it turned out to use another overlay.
 */
export type NeighborDownCause = 'lost' | 'left' | 'evicted' | 'disconnected' | 'closed' | 'differs';

/**
 * Why a message was dropped:
 * - not-addressed, excluded: it is for others
 * - forged: it says to be of another node than could be, or its signature does not hold
 * - unsigned: it has no signature, and `signatures.mode` is strict, or its publisher has signed
 *   before
 * - too-large: it is above this node's limit for the topic; with `to`, above the `limits.message` of that peer's transport, or its limit for the topic
 * - undecodable: the codec refuses it
 * - rejected, ignored, timeout: by the validator, or because it took too long
 * - overloaded: too many messages wait for the validator (`validateQueue`)
 * - refused: it was dropped so before, or its sender has forged too much of late for it to be looked at
 * - old, full, own: too late to tell a duplicate, or of an earlier life; too many publishers; in
 *   this node's own name
 * - stranger: its sender is no neighbour
 * - no-room: too much waits for a peer already
 */
export type DropReason =
  | 'not-addressed'
  | 'excluded'
  | 'forged'
  | 'unsigned'
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

/** What closing came to. */
export interface CloseResult {
  /** The peers for which messages had not left this node when `grace` was over: how many messages, and their bytes. Empty if all have left. */
  readonly unsent: readonly { readonly nodeId: string; readonly messages: number; readonly bytes: number }[];
}

/**
 * Why a message was not sent to a peer: too much waits for it already, or the message is above the `limits.message` of its transport or its limit
 * for the topic.
 */
export type Unsent = 'no-room' | 'too-large';

/** What happens on topics, in order. `topic` is its name, or its 32 bytes in hex. */
export type GossipEvent =
  /** This node is on a topic. */
  | { readonly type: 'joined'; readonly topic: string }
  /** This node has left it. */
  | { readonly type: 'left'; readonly topic: string }
  /** Messages of the topic are exchanged with a node. */
  | { readonly type: 'neighborUp'; readonly topic: string; readonly nodeId: string }
  | {
      readonly type: 'neighborDown';
      readonly topic: string;
      readonly nodeId: string;
      readonly cause: NeighborDownCause;
      readonly error?: TransportError | undefined;
    }
  /** With a topic: a reader of it was too slow, and has missed so many in all (told at the first, and whenever it doubles). Without: who reads these events was. */
  | { readonly type: 'lagged'; readonly topic?: string | undefined; readonly missed: number }
  /** A message was handed to this node's readers. */
  | {
      readonly type: 'delivered';
      readonly topic: string;
      readonly id: string;
      readonly origin: string;
      readonly signed: boolean;
      readonly from: string;
      readonly hops: number;
    }
  /** It came once more. */
  | { readonly type: 'duplicate'; readonly topic: string; readonly id: string; readonly from: string }
  /** It was not delivered, or not sent (`to`). */
  | {
      readonly type: 'dropped';
      readonly topic: string;
      readonly reason: DropReason;
      readonly id: string;
      readonly from?: string | undefined;
      readonly to?: string | undefined;
    }
  /** A link became one that messages are pushed over, or is one no longer (`partialView`). */
  | { readonly type: 'grafted' | 'pruned'; readonly topic: string; readonly nodeId: string }
  /**
   * A peer does otherwise than this node on the topic; nobody is to blame, and both ends are told.
   * - limit: bytes of a message at most. Longer messages are not sent to the peer with the lower limit, and dropped there (`too-large`)
   * - overlay: no message to all crosses; one to a list (`to`) does
   * - life: the peer remembers a later life of this node (`theirs`) than the present one, whose messages those behind it would take for old. This node goes on
   *   under a later number, unless `theirs` is too far ahead to be believed; told at this end only
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
   * A peer did something that honest peers don't do, or seldom. `origin-flood`: it named more
   * publishers than a node remembers, and was disconnected.
   */
  | { readonly type: 'misbehaved'; readonly topic: string; readonly nodeId: string; readonly what: string }
  /** A reader or a validator of this node threw. */
  | { readonly type: 'failed'; readonly topic: string; readonly error: unknown };

/** A topic, as plain data. */
export interface TopicSnapshot {
  readonly topic: string;
  /** 64 hex digits: what stands for it between nodes. */
  readonly key: string;
  readonly overlay: string;
  /** The number of this node's life on the topic. */
  readonly life: number;
  readonly neighbors: readonly string[];
  /** Connected peers that are on it. */
  readonly interested: number;
  readonly handles: number;
  /** The readers: how many messages wait for each, with how many bytes, and how many it has missed. */
  readonly readers: readonly { readonly waiting: number; readonly bytes: number; readonly missed: number }[];
  /** Messages that a validator looks at now, and messages that wait for one. */
  readonly validating: number;
  readonly toValidate: number;
  readonly published: number;
  readonly delivered: number;
  readonly duplicates: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** What the overlay tells of itself. */
  readonly details: unknown;
}

/** Long messages that relays are bringing. */
export interface RelaySnapshot {
  /** This node's own, that not all have yet. */
  readonly own: { readonly messages: number; readonly bytes: number };
  /** Those of others. */
  readonly others: { readonly messages: number; readonly bytes: number };
  /** Own ones that were sent directly to somebody whom no relay brought them, counted for each. */
  readonly repaired: number;
}

/** What was done to find other nodes of this node's topics, and for others that look. */
export interface DiscoverySnapshot {
  /** `first`: on a topic nobody is known; `more`: more would be welcome; `none`: nobody is looked for. */
  readonly need: 'first' | 'more' | 'none';
  /** Nodes that were connected to, and nodes of a topic that were asked whom they know; and how many of both led to somebody new. */
  readonly visited: number;
  readonly asked: number;
  readonly found: number;
  /** Questions of others: answered, and refused because they were too many. */
  readonly answered: number;
  readonly refused: number;
}

/** All of gossip, as plain data. */
export interface GossipSnapshot {
  readonly nodeId: string;
  readonly topics: readonly TopicSnapshot[];
  readonly peers: readonly {
    readonly nodeId: string;
    /** Those of this node's topics that it is on: of others it can't be known. */
    readonly topics: number;
    /** What waits to be sent to it. */
    readonly waiting: { readonly messages: number; readonly bytes: number };
    /** Messages dropped because too many waited. */
    readonly dropped: number;
  }[];
  /** Absent before the start. */
  readonly discovery?: DiscoverySnapshot | undefined;
  /** Long messages under way by relays (`relay`); absent: this node relays nothing. */
  readonly relay?: RelaySnapshot | undefined;
}
