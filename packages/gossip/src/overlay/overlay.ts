// The interface of an overlay: one node's part in one topic. An overlay decides which peers are its
// neighbors and which messages go to whom; it does no input or output of its own.

import type { Random, TransportError } from '@trunkline/transport-core';
import type { Machine } from '@trunkline/transport-core/internal';
import type { PartialViewMessage } from '../hyparview/message.ts';
import type { MessageId } from '../messages/message-id.ts';
import type { ControlOutput, PlumtreeOutput, PushOutput } from '../plumtree/interface.ts';
import type { Control, Push } from '../plumtree/message.ts';
import type { DropReason, NeighborDownCause } from '../types.ts';
import type { Body } from './body.ts';

/** A message that this node publishes. */
export interface OwnMessage {
  readonly id: MessageId;
  readonly body: Body;
}

/**
 * The overlay's verdict on an incoming message:
 * - `new`: it may be decoded, validated and given as `received`.
 * - `known`, `old`: give it as `received` without further checks; the overlay counts it. An `old`
 *   message may never have arrived here before.
 * - `forged`, `stranger`, `unsigned`: drop it. `unsigned` means that it has no signature although
 *   its publisher signs.
 */
export type Screening = 'new' | 'known' | 'old' | 'forged' | 'stranger' | 'unsigned';

/** An input of an overlay: a command in the imperative, or a report in the past tense. */
export type OverlayInput =
  /**
   * A message that may be passed on and delivered came from a peer, or a Plumtree control message.
   */
  | { readonly type: 'received'; readonly from: string; readonly message: Push<Body> | Control }
  /**
   * A message that is `new` came from a peer, and may still be refused. The peer has kept its
   * promise if it had promised that message.
   */
  | { readonly type: 'arrived'; readonly from: string; readonly id: MessageId }
  /**
   * A validator is looking at the message and takes its time; `received` or `refused` follows.
   */
  | { readonly type: 'held'; readonly id: MessageId }
  /** The message was not accepted. A different content under the same id still may be. */
  | { readonly type: 'refused'; readonly id: MessageId }
  /**
   * Publishes a message. With `receipts`, that number of neighbors is to confirm it: the message
   * itself is pushed to at least that many if possible, because a notice is not enough. The last
   * output is `handed`.
   */
  | { readonly type: 'publish'; readonly message: OwnMessage; readonly receipts: number }
  /**
   * Offers a message whose publisher waits for more neighbors to a new one. The last output is
   * `handed`.
   */
  | { readonly type: 'offer'; readonly peer: string; readonly message: OwnMessage }
  /** Replaces a message that no neighbor has yet by another. */
  | { readonly type: 'replace'; readonly id: MessageId; readonly by: OwnMessage }
  /**
   * A connected peer is on the topic. `isChosen` is true if this node dialed the peer for a reason
   * other than that members of the topic named it; otherwise the peer may be anybody, an attacker
   * included.
   */
  | { readonly type: 'peer-up'; readonly peer: string; readonly isChosen: boolean }
  /** The peer left the topic, or (with `error`) disconnected. */
  | {
      readonly type: 'peer-down';
      readonly peer: string;
      readonly error: TransportError | undefined;
    }
  /** A node could not be reached to send it a control or partial-view message. */
  | { readonly type: 'unreachable'; readonly peer: string; readonly error: TransportError }
  /** Tells a peer that sent a message, although `screen` says that it is a stranger. */
  | { readonly type: 'reject'; readonly peer: string }
  /**
   * A message came directly from its publisher, which has begun a new life: the previous life is
   * old from now on, whatever its number.
   */
  | { readonly type: 'begun'; readonly id: MessageId; readonly isSigned: boolean }
  /** A partial-view message came from a peer. It has not been checked in any way. */
  | { readonly type: 'viewed'; readonly from: string; readonly message: unknown }
  /** A `push` or `send-control` output had no room. This input comes before the next `poll`. */
  | { readonly type: 'no-room'; readonly output: PushOutput<Body> | ControlOutput }
  /** A peer that had no room for something has room again. */
  | { readonly type: 'writable'; readonly peer: string }
  /** Leaves the topic: tells the neighbors, and has none from then on. */
  | { readonly type: 'leave' }
  /** Does what is due. */
  | { readonly type: 'wake' };

/** An output of an overlay. */
export type OverlayOutput =
  /** Plumtree's outputs; see there. */
  | Exclude<PlumtreeOutput<Body>, { readonly type: 'gave' | 'misbehaved' }>
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
  /** The message of `publish` or `offer` was handed to these neighbors. */
  | { readonly type: 'handed'; readonly to: readonly string[] }
  /** Send a partial-view message, and dial the node first if it is not connected. */
  | { readonly type: 'send-view'; readonly to: string; readonly message: PartialViewMessage }
  | { readonly type: 'neighbor-up'; readonly peer: string }
  | {
      readonly type: 'neighbor-down';
      readonly peer: string;
      readonly cause: NeighborDownCause;
      readonly error: TransportError | undefined;
    }
  /** A message was refused. */
  | {
      readonly type: 'dropped';
      readonly id: MessageId;
      readonly from: string;
      readonly reason: DropReason;
    }
  /** The peer sent what only nodes with that overlay send. */
  | { readonly type: 'showed'; readonly peer: string; readonly overlay: string }
  /** A peer misbehaved. `isToBlame` is true if it cannot have been deceived itself. */
  | {
      readonly type: 'misbehaved';
      readonly peer: string;
      readonly what: string;
      readonly isToBlame: boolean;
    };

/**
 * A topic's overlay at one node: a machine, and questions about its state. Peers are node ids;
 * times are milliseconds of a monotonic clock.
 */
export interface Overlay extends Machine<OverlayInput, OverlayOutput> {
  readonly name: string;
  /**
   * True if nodes pass on messages of others. In that case only the number of a node's life tells
   * which of two lives is newer.
   */
  readonly passesOn: boolean;
  /** Number of neighbors that the overlay wants; Infinity for all peers on the topic. */
  readonly wanted: number;
  /**
   * Returns what to do with a message, before anything is spent on it.
   * @param isSigned whether it has a signature, which may be forged.
   */
  screen(from: string, id: MessageId, now: number, isSigned: boolean): Screening;
  /** Returns true if a message with that id is known already. */
  has(id: MessageId, now: number): boolean;
  /** The newest life of a node whose messages have arrived; undefined if there were none. */
  lifeOf(nodeId: string): number | undefined;
  /** Messages, and their bytes, that wait for room at a peer, to be sent or announced to it. */
  unsent(peer: string): { readonly messages: number; readonly bytes: number };
  neighbors(): readonly string[];
  /** Returns the state as plain data, for diagnosis. */
  snapshot(): unknown;
}

/** The arguments that an overlay is created with. */
export interface OverlaySetup {
  /** This node's id. */
  readonly self: string;
  readonly random: Random;
  readonly now: number;
  /**
   * Returns the last life that an unsigned message may claim to be of: a day ahead of this node's
   * clock.
   */
  latest(): number;
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
   * True if relays may bring a node's long messages to its neighbors. That works only if these are
   * neighbors of each other.
   */
  readonly relays: boolean;
  /** Number of peers that can be asked to confirm a message to all, at most. */
  readonly receipts: number;
  create(setup: OverlaySetup): Overlay;
}
