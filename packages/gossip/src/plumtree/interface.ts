// The inputs and outputs of a Plumtree machine, and the values that it is constructed with and
// shows.

import type { MessageId } from '../messages/message-id.ts';
import type { Control, Push } from './message.ts';
import type { PlumtreeOptions } from './options.ts';

/**
 * An input of a Plumtree machine: a command in the imperative, or a report in the past tense.
 */
export type PlumtreeInput<P> =
  /** A peer sent that. Malformed messages are ignored and reported. */
  | { readonly type: 'received'; readonly from: string; readonly message: Push<P> | Control }
  /**
   * A peer sent that message, which may still be refused. If the peer had been asked for it, it has
   * kept its promise.
   */
  | { readonly type: 'arrived'; readonly from: string; readonly id: MessageId }
  /**
   * A message that arrived is being looked at. Until it is `received` or `refused`, no other peer
   * is asked for it.
   */
  | { readonly type: 'held'; readonly id: MessageId }
  /**
   * A message that arrived is not accepted. No peer is asked for it any more, not even peers that
   * give notice of it later. If the message is pushed all the same, it counts as new: ids can be
   * guessed, so the refused message may have been a forgery under the id of a true one.
   */
  | { readonly type: 'refused'; readonly id: MessageId }
  /**
   * Publishes a message. `handle` throws a TypeError if the id is another node's, or was published
   * before.
   */
  | { readonly type: 'publish'; readonly publication: MessageToPublish<P> }
  /** Takes a published message out of the cache, so that no further peer learns of it. */
  | { readonly type: 'withdraw'; readonly id: MessageId }
  /** Pushes a cached message to a neighbor, as if the neighbor had asked for it. */
  | { readonly type: 'serve'; readonly peer: string; readonly id: MessageId }
  /**
   * A link is up. It belongs to the tree until a duplicate comes over it (the paper's NeighborUp).
   * The peer gets notice of the cached messages, so that parts of the network that were apart get
   * what each of them missed. Does nothing if the link is up already.
   */
  | { readonly type: 'neighbor-up'; readonly peer: string }
  /** The link is down. The peer's notices, promises and owed messages are forgotten. */
  | { readonly type: 'neighbor-down'; readonly peer: string }
  /** A `push` or `send-control` output had no room. This input comes before the next `poll`. */
  | { readonly type: 'no-room'; readonly output: PushOutput<P> | ControlOutput }
  /** Messages to that peer have room again. */
  | { readonly type: 'writable'; readonly peer: string }
  /** Does everything that is due. */
  | { readonly type: 'wake' };

/** An output of a Plumtree machine. */
export type PlumtreeOutput<P> =
  | PushOutput<P>
  | ControlOutput
  /**
   * A message arrived for the first time. It has been passed on already. `key` is the `messageKey`
   * of its id, `from` the peer that sent it (the last hop), `hops` the links that it has passed.
   */
  | {
      readonly type: 'deliver';
      readonly push: Push<P>;
      readonly key: string;
      readonly from: string;
      readonly hops: number;
    }
  /** The link became part of the tree. */
  | { readonly type: 'grafted'; readonly peer: string }
  /** The link is no longer part of the tree. */
  | { readonly type: 'pruned'; readonly peer: string }
  | GaveOutput
  /** A message came again. */
  | { readonly type: 'repeated'; readonly id: MessageId; readonly from: string }
  /**
   * A message was refused: too late, or from an earlier life of its origin (`old`); no room to
   * remember another origin (`full`); unsigned, although its origin signs (`unsigned`); or in this
   * node's name (`own`).
   */
  | {
      readonly type: 'dropped';
      readonly id: MessageId;
      readonly from: string;
      readonly reason: 'old' | 'full' | 'unsigned' | 'own';
    }
  /** A peer misbehaved; see {@link Misbehavior}. */
  | { readonly type: 'misbehaved'; readonly peer: string; readonly what: Misbehavior };

/**
 * Push a message if there is room for it now. If there is none, the input `no-room` says so: the
 * peer then gets a notice instead, and nothing is pushed to it until the input `writable`.
 */
export interface PushOutput<P> {
  readonly type: 'push';
  readonly to: string;
  readonly push: Push<P>;
  /** True if the peer asked for the message. */
  readonly isAsked: boolean;
}

/**
 * Send or queue a control message. If there is no room even for that, the input `no-room` says so.
 * Notices are then kept until the input `writable`, a graft goes to the next peer, and a prune is
 * sent again with the next duplicate.
 */
export interface ControlOutput {
  readonly type: 'send-control';
  readonly to: string;
  readonly control: Control;
}

/**
 * The peer has a message, as a push or a notice of it shows: it gets messages from other nodes and
 * passes them on.
 */
export interface GaveOutput {
  readonly type: 'gave';
  readonly peer: string;
}

/**
 * Behavior of a peer that is wrong, or rare among honest peers. It is reported at most once a
 * second per peer and kind; the driver decides what follows.
 * - `malformed`: a message that could not be understood. It was ignored.
 * - `notice-flood`: more notices than a peer may send per second, or more ids of missing messages
 *   than it may have outstanding. The excess was ignored.
 * - `graft-flood`: more ids in grafts than a peer may send per second, or one message too often.
 *   The excess was ignored.
 * - `broken-promise`: the peer gave notice of a message and didn't send it when asked, though it
 *   had time enough.
 * - `mute`: the peer gets messages or notices and neither asks for a message, nor sends one, nor
 *   gives notice of one. It takes messages and passes nothing on.
 * - `conflict`: the peer sent a second content under an id. It may be honest, and the first content
 *   the forged one.
 * - `impostor`: the peer sent a message in this node's name that this node didn't publish. It may
 *   have been deceived itself.
 * - `origin-flood`: the peer brought messages of more new publishers in `idTime` than an honest
 *   node remembers. The excess was ignored, and the driver should disconnect the peer.
 */
export type Misbehavior =
  | 'malformed'
  | 'notice-flood'
  | 'graft-flood'
  | 'broken-promise'
  | 'mute'
  | 'conflict'
  | 'impostor'
  | 'origin-flood';

/** The arguments of a Plumtree machine. */
export interface PlumtreeInit<P> {
  /** The node id of this node. */
  readonly self: string;
  /** From `plumtreeOptions`; defaults if absent. */
  readonly options?: PlumtreeOptions | undefined;
  /**
   * Returns a digest of a payload (`contentDigest`), to detect a second content under an id. If
   * absent, that is not detected, as it need not be if ids are signed. It must not throw.
   */
  readonly digest?: ((payload: P) => number) | undefined;
  /**
   * Returns true if a payload is signed and its signature has been verified. If absent, no payload
   * is. It must not throw.
   */
  readonly isSigned?: ((payload: P) => boolean) | undefined;
  /**
   * Returns the last life that an unsigned message may claim to be of. If absent, there is no
   * bound.
   */
  readonly latest?: (() => number) | undefined;
}

/** A message to publish. */
export interface MessageToPublish<P> {
  /** An id from this node's IdSource. */
  readonly id: MessageId;
  readonly payload: P;
  /** Bytes of the payload. */
  readonly size: number;
}

/**
 * Messages and ids that passed over a link since it came up. An overlay can weigh its neighbors by
 * these numbers.
 */
export interface NeighborAccount {
  /** Messages that the peer was the first to bring. */
  delivered: number;
  /** Messages that the peer sent after they had arrived from others. */
  duplicates: number;
  /** Ids that the peer gave notice of. */
  noticed: number;
  /** Messages that were pushed to the peer. */
  pushed: number;
  /** Ids that the peer was given notice of. */
  announced: number;
  /** Ids that the peer asked for. */
  requested: number;
  /** Promises that the peer broke, and those that it kept. */
  broken: number;
  kept: number;
}

/** The state of a Plumtree machine, as plain data. */
export interface PlumtreeSnapshot {
  readonly neighbors: readonly ({
    readonly id: string;
    readonly eager: boolean;
    readonly blocked: boolean;
  } & Readonly<NeighborAccount>)[];
  readonly cached: { readonly messages: number; readonly bytes: number };
  readonly missing: number;
  readonly pendingGrafts: number;
  readonly origins: number;
  readonly digests: number;
  readonly gaps: number;
}
