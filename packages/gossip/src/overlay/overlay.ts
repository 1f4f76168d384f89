// One node's part in one topic: who are its neighbours, and what goes to whom. Machines without input and output behind one interface.

import type { Random, TransportError } from '@trunkline/transport-core';
import type { MessageId } from '../messages/message-id.ts';
import type { Control, Push } from '../plumtree/message.ts';
import type { DropReason, NeighborDownCause } from '../types.ts';
import type { Body } from './body.ts';

/** A message of this node's own. */
export interface OwnMessage {
  readonly id: MessageId;
  readonly body: Body;
}

/**
 * `new`: it may be decoded, validated and given to `pushed`. `known`, and `old` for what may never
 * have been here: give it to `pushed` as it is. `forged`, `stranger`, and `unsigned` in the name of
 * a node that signs: it is dropped.
 */
export type Screening = 'new' | 'known' | 'old' | 'forged' | 'stranger' | 'unsigned';

/**
 * Times are milliseconds of a monotonic clock. Call `wake` when `due` says so; ask `due` anew after every call. Nothing throws because of what
 * a peer sent. Peers are node ids.
 */
export interface Overlay {
  readonly name: string;
  /** A connected peer is on the topic. `isChosen`: this node dialled it, and not because others on the topic named it; else anybody may be behind it. */
  peerUp(peer: string, isChosen: boolean, now: number): void;
  /** It is no longer: it has left the topic, or with an error its connection is gone. */
  peerDown(peer: string, error: TransportError | undefined, now: number): void;
  /** A node that a control or a view was sent to could not be reached. */
  unreachable(peer: string, error: TransportError, now: number): void;
  /**
   * Hands the message to neighbours. Gives those it was handed to.
   * @param receipts neighbours that are to confirm it: so many at least are pushed the message, not only told of it, and given back.
   */
  publish(message: OwnMessage, now: number, receipts: number): readonly string[];
  /** The message's publisher waits for more neighbours. True: it is handed to this one, too. */
  offer(peer: string, message: OwnMessage, now: number): boolean;
  /** A message that no neighbour has is another one from now on. */
  replace(id: MessageId, by: OwnMessage, now: number): void;
  /**
   * Returns what is to be done with a message before anything is spent on it. @param isSigned it
   * has a signature, which may be forged.
   */
  screen(from: string, id: MessageId, now: number, isSigned: boolean): Screening;
  /** Is a message with that id here already? */
  has(id: MessageId, now: number): boolean;
  /** Do others pass on what a node publishes? Then the numbers of its lives alone tell which is newer. */
  readonly passesOn: boolean;
  /** The newest life of a node whose messages were here. */
  lifeOf(nodeId: string): number | undefined;
  /** A message came from its publisher itself, which has begun a new life: whatever its number, the one before is old. */
  begun(id: MessageId, isSigned: boolean): void;
  /** A message that is `new` came from a peer, whatever becomes of it: the peer has sent what it may have promised. */
  arrived(from: string, id: MessageId, now: number): void;
  /** It is being looked at, by a validator that takes its time: `pushed` or `refused` follows. */
  held(id: MessageId): void;
  /** It may not pass. Another content under that id still may. */
  refused(id: MessageId): void;
  /** A message that may pass came from a peer. */
  pushed(from: string, push: Push<Body>, now: number): void;
  /** Plumtree's control came from a peer. */
  controlled(from: string, control: Control, now: number): void;
  /** A message between partial views came from a peer; whatever it is. */
  viewed(from: string, message: unknown, now: number): void;
  /** A peer that something was refused for has room again. */
  writable(peer: string, now: number): void;
  wake(now: number): void;
  /** When `wake` has something to do; Infinity: never, unless something happens. */
  readonly due: number;
  /** Messages, and their bytes, that a peer is still to be sent or told of, and that wait for room. */
  unsent(peer: string): { readonly messages: number; readonly bytes: number };
  /** This node leaves the topic: neighbours are told, and are none any more. */
  leave(now: number): void;
  neighbors(): readonly string[];
  /** How many neighbours it would have; Infinity: all there are. */
  readonly wanted: number;
  /** Plain data. */
  snapshot(): unknown;
}

/** What an overlay has done for it. It may call the overlay back at once, and must not throw. */
export interface OverlayHost {
  /** Sends a message now, or queues it. False: neither could be, which was told. */
  send(to: string, push: Push<Body>): boolean;
  /** Has relays bring a message to these. False: it is to be sent to each. */
  relay(push: Push<Body>, to: readonly string[]): boolean;
  /** Sends a message now. False: there is no room; `writable` tells when there is. True also for a message that can never be sent, which was told. */
  trySend(to: string, push: Push<Body>): boolean;
  /** Sends or queues a control message. False: there is no room. */
  control(to: string, control: Control): boolean;
  /** Sends a message between partial views, dialling the node where it is not connected. */
  view(to: string, message: Readonly<Record<string, unknown>>): void;
  /** A message is here for the first time. @param key `messageKey` of its id. @param hops links that it passed. */
  deliver(push: Push<Body>, key: string, from: string, hops: number): void;
  neighborUp(peer: string): void;
  neighborDown(peer: string, cause: NeighborDownCause, error?: TransportError): void;
  duplicate(id: MessageId, from: string): void;
  dropped(id: MessageId, from: string, reason: DropReason): void;
  /** It speaks as nodes of that overlay do. */
  speaks(peer: string, overlay: string): void;
  grafted(peer: string): void;
  pruned(peer: string): void;
  /** @param isToBlame it can't have been deceived itself. */
  misbehaved(peer: string, what: string, isToBlame: boolean): void;
}

export interface OverlaySetup {
  /** This node's id. */
  readonly self: string;
  readonly random: Random;
  readonly now: number;
  readonly host: OverlayHost;
  /**
   * Returns the last life that an unsigned message is believed to be of: a day ahead of this node's
   * clock.
   */
  latest(): number;
}

/** What `createGossip` takes: `fullMesh()`, `partialView()`. It makes a machine for each topic. */
export interface OverlayFactory {
  readonly name: string;
  /** Are the connections to neighbours kept from being closed for idleness? */
  readonly holds: boolean;
  /** May others bring a node's long messages to its neighbours? Only where these are neighbours of each other. */
  readonly relays: boolean;
  /** Peers at most that can be asked to confirm a message for all. */
  readonly receipts: number;
  create(setup: OverlaySetup): Overlay;
}
