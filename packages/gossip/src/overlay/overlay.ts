// The interface of an overlay: one node's part in one topic. An overlay decides which peers are its
// neighbors and which peer gets which messages; it performs no input or output itself. TopicSession
// gives it inputs and carries out its outputs, all of them before the next input from outside.

import type { Machine } from '@trunkline/peers/internal';
import type { TransportError } from '@trunkline/transport-core';
import type { PartialViewOutput, PartialViewSetup } from '../hyparview/message.ts';
import type { MessageId } from '../messages/message-id.ts';
import type { SeenMessagesOptions } from '../messages/seen-messages.ts';
import type { PlumtreeInit, PlumtreeInput, PlumtreeOutput, Push } from '../plumtree/message.ts';

/** A message that this node publishes, as the first receivers get it. */
export type OwnMessage = Push<Body>;

/** An input of an overlay: a command in the imperative, or a report in the past tense. */
export type OverlayInput =
  /**
   * Inputs about messages of peers, and about the room for outputs, as {@link PlumtreeInput}
   * explains them. Only accepted messages are `received`; while a validator checks a message, it is
   * `held`. Messages to a list of nodes (`to`) are not reported.
   */
  | Exclude<
      PlumtreeInput<Body>,
      { readonly type: 'publish' | 'neighbor-up' | 'neighbor-down' | 'wake' }
    >
  /**
   * Publishes a message, for all or all but some. `receipts` is the number of neighbors that should
   * confirm it. If possible, at least that many neighbors get the message itself, because a notice
   * is not enough. The last output is `handed`.
   */
  | { readonly type: 'publish'; readonly message: OwnMessage; readonly receipts: number }
  /**
   * The publisher of a message waits for more neighbors: offers the message to a new one. The last
   * output is `handed`; there is none if the message does not go to that peer.
   */
  | { readonly type: 'offer'; readonly peer: string; readonly message: OwnMessage }
  /** Replaces a message that no neighbor has yet with another. */
  | { readonly type: 'replace'; readonly id: MessageId; readonly by: OwnMessage }
  /**
   * A connected peer is on the topic. `isChosen` is true if this node dialed the peer and did not
   * do so because members of the topic named it. Otherwise the peer may be anybody, including an
   * attacker.
   */
  | { readonly type: 'peer-up'; readonly peer: string; readonly isChosen: boolean }
  /** The peer left the topic, or (with `error`) disconnected. */
  | {
      readonly type: 'peer-down';
      readonly peer: string;
      readonly error: TransportError | undefined;
    }
  /** A partial-view message could not be sent: its receiver is unreachable, or has no room. */
  | { readonly type: 'lost'; readonly peer: string; readonly error: TransportError }
  /**
   * Informs a peer that it is not a neighbor: it sent a message that `takesFrom` does not admit.
   */
  | { readonly type: 'reject'; readonly peer: string }
  /** The score of a peer has fallen to 0. */
  | { readonly type: 'distrusted' }
  /** A partial-view message came from a peer. It has not been checked in any way. */
  | { readonly type: 'viewed'; readonly from: string; readonly message: unknown }
  /** Leaves the topic: informs the neighbors, and has none from then on. */
  | { readonly type: 'leave' }
  /** Does what is due. */
  | { readonly type: 'wake' };

/** An output of an overlay. */
export type OverlayOutput =
  /** Outputs of Plumtree and HyParView; see {@link PlumtreeOutput}, {@link PartialViewOutput}. */
  | Exclude<PlumtreeOutput<Body>, { readonly type: 'gave' }>
  | PartialViewOutput
  /**
   * Send or queue a message to each of these peers. With `mayRelay`, relays may bring it to them
   * instead.
   */
  | {
      readonly type: 'send';
      readonly push: Push<Body>;
      readonly to: readonly string[];
      readonly mayRelay: boolean;
    }
  /**
   * The message of `publish` or `offer` was handed to these neighbors: it is sent or queued, owed
   * until there is room, or announced by a notice.
   */
  | { readonly type: 'handed'; readonly to: readonly string[] }
  /** The peer sent something that only nodes with that overlay send. */
  | { readonly type: 'showed'; readonly peer: string; readonly overlay: string };

/**
 * A topic's overlay at one node: a state machine, and methods that query its state. Peers are node
 * ids; times are milliseconds of a monotonic clock.
 */
export interface Overlay extends Machine<OverlayInput, OverlayOutput> {
  /**
   * True if nodes pass on messages of others. In that case, only the numbers of two lives of a node
   * show which life is newer.
   */
  readonly passesOn: boolean;
  /** Number of neighbors that the overlay wants; Infinity means all peers on the topic. */
  readonly wanted: number;
  /**
   * Returns true if the peer may send messages of that publisher: it is a neighbor, for example.
   * Otherwise the messages are dropped as `stranger`.
   */
  takesFrom(peer: string, origin: string): boolean;
  /**
   * Returns the number and the bytes of the messages that wait to be sent or announced to a peer
   * until it has room.
   */
  unsent(peer: string): { readonly messages: number; readonly bytes: number };
  neighbors(): readonly string[];
  /** Returns the state as plain data, for diagnosis. */
  snapshot(): unknown;
}

/** The arguments that an overlay is created with: those of HyParView and of Plumtree. */
export interface OverlaySetup
  extends Omit<PartialViewSetup, 'config'>,
    Omit<PlumtreeInit, 'options'> {
  /** True if this node only publishes on the topic: its neighbors give it nothing. */
  readonly isSource: boolean;
}

/**
 * An overlay for `createGossip`, made by `fullMesh()` or `partialView()`. It creates one {@link
 * Overlay} for each topic.
 */
export interface OverlayFactory {
  readonly name: string;
  /** True if connections to neighbors must not be closed for being idle. */
  readonly holds: boolean;
  /**
   * True if relays may bring a node's long messages to its neighbors. That works only if the
   * neighbors are neighbors of each other.
   */
  readonly relays: boolean;
  /** The limits of a topic's memory of the messages that it has seen. */
  readonly memory: SeenMessagesOptions;
  /** Maximum number of peers that can be asked to confirm a message to everybody. */
  readonly receipts: number;
  create(setup: OverlaySetup): Overlay;
}

// The body of a message as overlays carry it: its payload and its audience. Each body is decoded
// only once and encoded only once.

/**
 * The receivers of a message: everybody on the topic, only the listed nodes, or everybody but the
 * listed nodes.
 */
export type Audience = 'all' | 'to' | 'except';

/** A public key, and a signature made with its private key. */
export interface Signature {
  /** SPKI, DER: 44 bytes (Ed25519) or 91 (P-256). Its SHA-256 is the publisher's node id. */
  readonly publicKey: Uint8Array;
  /** The signature of `signedContent`: 64 bytes. */
  readonly bytes: Uint8Array;
}

/**
 * The content of a message, and everything that is kept with it while it is passed on. The cache
 * and all that send a message share its body, so nobody may change its read-only fields.
 */
export interface Body {
  readonly audience: Audience;
  /** Node ids that `to` and `except` refer to. */
  readonly nodes: readonly string[];
  readonly payload: Uint8Array;
  /**
   * The decoded message, from when the codec has decoded it until the readers have got it;
   * undefined for a message that this node published.
   */
  message: unknown;
  /**
   * The publisher's signature. It has been verified and is passed on unchanged. Set once, when the
   * body is made.
   */
  signature?: Signature | undefined;
  /**
   * Set on this node's own messages: receivers that get the message directly from this node are
   * asked to confirm it.
   */
  readonly receipt?: boolean | undefined;
  /** The last frame that was encoded from this body, and the hop count in it. */
  frame?: { readonly hops: number; readonly bytes: Uint8Array } | undefined;
}

/** The part of a body that names its receivers. */
export type Recipients = Pick<Body, 'audience' | 'nodes'>;

/** Returns true if the message is for that node. */
export function isFor({ audience, nodes }: Recipients, nodeId: string): boolean {
  if (audience === 'all') return true;
  return nodes.includes(nodeId) === (audience === 'to');
}

export const SIGNATURE_BYTES = 64;
