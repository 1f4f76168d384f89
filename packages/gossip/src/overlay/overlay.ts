// The interface of an overlay: one node's part in one topic. An overlay decides which peers are its
// neighbors and which messages go to whom; it does no input or output of its own.

import type { Random, TransportError } from '@trunkline/transport-core';
import type { MessageId } from '../messages/message-id.ts';
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
 * - `new`: it may be decoded, validated and passed to `pushed`.
 * - `known`, `old`: pass it to `pushed` without further checks; the overlay counts it. An `old`
 *   message may never have arrived here before.
 * - `forged`, `stranger`, `unsigned`: drop it. `unsigned` means that it has no signature although
 *   its publisher signs.
 */
export type Screening = 'new' | 'known' | 'old' | 'forged' | 'stranger' | 'unsigned';

/**
 * A topic's overlay at one node. Peers are node ids; times are milliseconds of a monotonic clock.
 * Call `wake` at the time that `due` gives, and read `due` again after every call. No method throws
 * because of something that a peer sent.
 */
export interface Overlay {
  readonly name: string;
  /**
   * A connected peer is on the topic. `isChosen` is true if this node dialed the peer for a reason
   * other than that members of the topic named it; otherwise the peer may be anybody, an attacker
   * included.
   */
  peerUp(peer: string, isChosen: boolean, now: number): void;
  /** The peer left the topic, or (with `error`) disconnected. */
  peerDown(peer: string, error: TransportError | undefined, now: number): void;
  /** A node could not be reached to send it a control or partial-view message. */
  unreachable(peer: string, error: TransportError, now: number): void;
  /**
   * Hands the message to neighbors and returns those that it was handed to.
   * @param receipts number of neighbors that are to confirm the message. If it is not 0, the
   * message itself is pushed to at least that many if possible (a notice is not enough), and those
   * are returned.
   */
  publish(message: OwnMessage, now: number, receipts: number): readonly string[];
  /**
   * Offers a message whose publisher waits for more neighbors to a new one. Returns true if it was
   * handed to this neighbor, too.
   */
  offer(peer: string, message: OwnMessage, now: number): boolean;
  /** Replaces a message that no neighbor has yet by another. */
  replace(id: MessageId, by: OwnMessage, now: number): void;
  /**
   * Returns what to do with a message, before anything is spent on it.
   * @param isSigned whether it has a signature, which may be forged.
   */
  screen(from: string, id: MessageId, now: number, isSigned: boolean): Screening;
  /** Returns true if a message with that id is known already. */
  has(id: MessageId, now: number): boolean;
  /**
   * True if nodes pass on messages of others. In that case only the number of a node's life tells
   * which of two lives is newer.
   */
  readonly passesOn: boolean;
  /** The newest life of a node whose messages have arrived; undefined if there were none. */
  lifeOf(nodeId: string): number | undefined;
  /**
   * A message came directly from its publisher, which has begun a new life: the previous life is
   * old from now on, whatever its number.
   */
  begun(id: MessageId, isSigned: boolean): void;
  /**
   * A message that is `new` came from a peer, and may still be refused. The peer has kept its
   * promise if it had promised that message.
   */
  arrived(from: string, id: MessageId, now: number): void;
  /** A validator is looking at the message and takes its time; `pushed` or `refused` follows. */
  held(id: MessageId): void;
  /** The message was not accepted. A different content under the same id still may be. */
  refused(id: MessageId): void;
  /** A message that may be passed on and delivered came from a peer. */
  pushed(from: string, push: Push<Body>, now: number): void;
  /** A Plumtree control message came from a peer. */
  controlled(from: string, control: Control, now: number): void;
  /** A partial-view message came from a peer. It has not been checked in any way. */
  viewed(from: string, message: unknown, now: number): void;
  /** A peer that had no room for something has room again. */
  writable(peer: string, now: number): void;
  wake(now: number): void;
  /** When `wake` has something to do; Infinity if nothing is due unless something happens. */
  readonly due: number;
  /** Messages, and their bytes, that wait for room at a peer, to be sent or announced to it. */
  unsent(peer: string): { readonly messages: number; readonly bytes: number };
  /** Leaves the topic: tells the neighbors, and has none from then on. */
  leave(now: number): void;
  neighbors(): readonly string[];
  /** Number of neighbors that the overlay wants; Infinity for all peers on the topic. */
  readonly wanted: number;
  /** Returns the state as plain data, for diagnosis. */
  snapshot(): unknown;
}

/**
 * The functions that an overlay calls. They may call the overlay back at once, and must not throw.
 */
export interface OverlayHost {
  /**
   * Sends a message now, or queues it. Returns false if neither was possible; the host has reported
   * that already.
   */
  send(to: string, push: Push<Body>): boolean;
  /**
   * Has relays bring a message to these nodes. Returns false if it must be sent to each node
   * directly instead.
   */
  relay(push: Push<Body>, to: readonly string[]): boolean;
  /**
   * Sends a message now. Returns false if there is no room; `writable` reports when there is. Also
   * returns true for a message that can never be sent to that peer; the host has reported that
   * already.
   */
  trySend(to: string, push: Push<Body>): boolean;
  /** Sends or queues a control message. Returns false if there is no room. */
  control(to: string, control: Control): boolean;
  /** Sends a partial-view message, and dials the node first if it is not connected. */
  view(to: string, message: Readonly<Record<string, unknown>>): void;
  /**
   * A message arrived for the first time.
   * @param key `messageKey` of its id.
   * @param hops links that it passed.
   */
  deliver(push: Push<Body>, key: string, from: string, hops: number): void;
  neighborUp(peer: string): void;
  neighborDown(peer: string, cause: NeighborDownCause, error?: TransportError): void;
  duplicate(id: MessageId, from: string): void;
  dropped(id: MessageId, from: string, reason: DropReason): void;
  /** The peer sends what only nodes with that overlay send. */
  speaks(peer: string, overlay: string): void;
  grafted(peer: string): void;
  pruned(peer: string): void;
  /** @param isToBlame true if the peer cannot have been deceived itself. */
  misbehaved(peer: string, what: string, isToBlame: boolean): void;
}

/** The arguments that an overlay is created with. */
export interface OverlaySetup {
  /** This node's id. */
  readonly self: string;
  readonly random: Random;
  readonly now: number;
  readonly host: OverlayHost;
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
