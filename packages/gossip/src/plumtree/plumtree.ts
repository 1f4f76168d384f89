// Plumtree: epidemic broadcast trees (Leitão, Pereira, Rodrigues, SRDS 2007; report DI-FCUL
// TR-07-14, algorithms 1 to 3), for one topic. Messages are pushed along a tree that forms by
// itself. All other links of the overlay carry notices, which are used to repair the tree. This
// module owns the tree, the cached messages and the missing ones. Its inputs report links,
// messages, room and time; its outputs push messages, and report changes of the tree and
// misbehavior. Duplicates are recognized by its caller.

import { type Machine, OutputQueue } from '@trunkline/peers/internal';
import { isMessageId, type MessageId, messageKey } from '../messages/message-id.ts';
import { PlumtreeCounters } from './counters.ts';
import type { GraftRequests, LeafProbes } from './graft-requests.ts';
import type {
  Control,
  ControlOutput,
  PlumtreeInit,
  PlumtreeInput,
  PlumtreeOutput,
  PlumtreeSnapshot,
  Push,
  PushOutput,
} from './message.ts';
import type { MessageCache } from './message-cache.ts';
import { ControlHandler, MessageHandler } from './message-handler.ts';
import type { MissingMessages } from './missing-messages.ts';
import { DepartedQuotas, Neighbor } from './neighbor.ts';
import { plumtreeOptions } from './options.ts';
import type { OutgoingMessages } from './outgoing-messages.ts';
import { plumtreeParts } from './parts.ts';
import type { Tree } from './tree.ts';

/**
 * The Plumtree state machine of one node for one topic. Give the input `neighbor-up` before any
 * other input from that peer; input from any other peer is dropped.
 */
export class Plumtree<P> implements Machine<PlumtreeInput<P>, PlumtreeOutput<P>> {
  readonly counters = new PlumtreeCounters();
  readonly #self: string;
  readonly #announce: number;
  readonly #isSource: boolean;
  readonly #outputs = new OutputQueue<PlumtreeOutput<P>>();
  readonly #neighbors = new Map<string, Neighbor>();
  readonly #quotas = new DepartedQuotas();
  readonly #cache: MessageCache<P>;
  readonly #outgoing: OutgoingMessages<P>;
  readonly #tree: Tree<P>;
  readonly #missing: MissingMessages;
  readonly #graftRequests: GraftRequests<P>;
  readonly #leafProbes: LeafProbes<P>;
  readonly #messageHandler: MessageHandler<P>;
  readonly #controlHandler: ControlHandler<P>;

  constructor(init: PlumtreeInit) {
    const { self, options = plumtreeOptions(), look, isSource = false } = init;
    const { counters } = this;
    this.#self = self;
    this.#announce = options.announce;
    this.#isSource = isSource;
    const parts = plumtreeParts<P>({
      self,
      options,
      look,
      isSource,
      counters,
      outputs: this.#outputs,
      neighbors: this.#neighbors,
    });
    this.#cache = parts.cache;
    this.#outgoing = parts.outgoing;
    this.#tree = parts.tree;
    this.#missing = parts.missing;
    this.#graftRequests = parts.graftRequests;
    this.#leafProbes = parts.leafProbes;
    this.#messageHandler = new MessageHandler(parts);
    this.#controlHandler = new ControlHandler(parts);
  }

  handle(now: number, input: PlumtreeInput<P>): void {
    switch (input.type) {
      case 'received':
        return this.#receive(input.from, input.message, now);
      case 'arrived':
        return this.#arrived(input.from, input.id, now);
      case 'repeated':
        return this.#repeated(input.from, input.id, now);
      case 'publish':
        return this.#messageHandler.publish(input.publication, now);
      case 'held':
        return this.#missing.hold(messageKey(input.id));
      case 'refused':
        return this.#missing.refuse(messageKey(input.id));
      case 'dropped':
        return this.#dropped(input.from, input.id, input.mayCome);
      case 'withdraw':
        return this.#cache.delete(messageKey(input.id));
      case 'serve':
        return this.#serve(input.peer, input.id);
      case 'neighbor-up':
        return this.#neighborUp(input.peer, input.isSource === true, now);
      case 'neighbor-down':
        return this.#neighborDown(input.peer);
      case 'no-room':
        return this.#noRoom(input.output, now);
      case 'writable':
        return this.#writable(input.peer, now);
      case 'wake':
        this.#outgoing.flush(now);
        this.#graftRequests.wake(now);
        return this.#messageHandler.expire(now);
    }
  }

  poll(): PlumtreeOutput<P> | undefined {
    return this.pollQueued() ?? this.pollOwed();
  }

  /** Like `poll`, but without the messages that are owed to writable neighbors. */
  pollQueued(): PlumtreeOutput<P> | undefined {
    return this.#outputs.poll();
  }

  /**
   * Returns the next message that is owed to a writable neighbor. They come one by one, because
   * there may be little room.
   */
  pollOwed(): PushOutput<P> | undefined {
    return this.#outgoing.nextOwed();
  }

  get wakeAt(): number {
    return Math.min(this.#outgoing.due, this.#graftRequests.due, this.#messageHandler.due);
  }

  /** Returns the state as plain data, for diagnosis. */
  snapshot(): PlumtreeSnapshot {
    const neighbors = [...this.#neighbors.values()].map(({ id, eager, blocked, account }) => ({
      id,
      eager,
      blocked,
      ...account,
    }));
    const cached = { messages: this.#cache.size, bytes: this.#cache.bytes };
    return {
      neighbors,
      cached,
      missing: this.#missing.size,
      pendingGrafts: this.#graftRequests.pendingGrafts,
    };
  }

  /** Returns true if the link to that peer belongs to the tree. */
  isEager(peer: string): boolean {
    return this.#neighbors.get(peer)?.eager ?? false;
  }

  /** Returns true if the input `serve` would push the message to the peer. */
  canServe(peer: string, id: MessageId): boolean {
    return this.#neighbors.has(peer) && this.#cache.get(messageKey(id)) !== undefined;
  }

  /**
   * Counts the messages that will be pushed to a neighbor when it has room, and the notices that
   * wait to be sent to it. `bytes` counts only the messages.
   */
  unsent(peer: string): { readonly messages: number; readonly bytes: number } {
    const unsent = { messages: 0, bytes: 0 };
    const neighbor = this.#neighbors.get(peer);
    if (neighbor === undefined) return unsent;
    for (const [key, isAsked] of neighbor.owed ?? []) {
      const push = isAsked || neighbor.eager ? this.#cache.get(key)?.push : undefined;
      if (push === undefined) continue;
      unsent.messages++;
      unsent.bytes += push.size;
    }
    unsent.messages = Math.max(unsent.messages, neighbor.notices.length);
    return unsent;
  }

  #receive(from: string, message: Push<P> | Control, now: number): void {
    const isPush = message?.kind === 'push';
    const neighbor =
      this.#neighbors.get(from) ?? (isPush ? this.#departed(from, message) : undefined);
    if (neighbor === undefined) return void this.counters.strangers++;
    if (isPush) this.#messageHandler.received(neighbor, message, now);
    else this.#controlHandler.received(neighbor, message, now);
  }

  #repeated(from: string, id: MessageId, now: number): void {
    const neighbor = this.#neighbors.get(from);
    if (neighbor !== undefined) this.#messageHandler.repeated(neighbor, id, now);
  }

  /** The key is only computed if a message is missing or a promise is open. */
  #arrived(from: string, id: MessageId, now: number): void {
    const key = this.#missing.size + this.#graftRequests.pendingGrafts > 0 ? messageKey(id) : '';
    this.#missing.arrived(key, from, now);
    this.#graftRequests.kept(this.#neighbors.get(from), key);
  }

  #dropped(from: string, id: MessageId, mayCome: boolean): void {
    const neighbor = this.#neighbors.get(from);
    const key = messageKey(id);
    this.#graftRequests.kept(neighbor, key);
    neighbor?.owed?.delete(key);
    if (!mayCome) this.#missing.take(key);
  }

  #serve(peer: string, id: MessageId): void {
    const neighbor = this.#neighbors.get(peer);
    const key = messageKey(id);
    const cached = this.#cache.get(key);
    if (neighbor !== undefined && cached !== undefined)
      this.#outgoing.serve(neighbor, key, cached.push);
  }

  #neighborUp(peer: string, isSource: boolean, now: number): void {
    if (peer === this.#self || this.#neighbors.has(peer)) return;
    const neighbor = new Neighbor(peer, isSource, this.#quotas.take(peer));
    if (this.#isSource) {
      neighbor.eager = [...this.#neighbors.values()].every(({ eager }) => !eager);
      this.#outgoing.control(neighbor, ATTACH);
    }
    this.#neighbors.set(peer, neighbor);
    if (this.#announce === 0 || isSource) return;
    for (const { push } of this.#cache.newest(this.#announce))
      this.#outgoing.notice(neighbor, push, now);
    this.#outgoing.flushAtOnce(now);
  }

  #neighborDown(peer: string): void {
    const neighbor = this.#neighbors.get(peer);
    if (neighbor === undefined) return;
    this.#neighbors.delete(peer);
    this.#quotas.keep(peer, neighbor.quota);
    this.#outgoing.forget(neighbor);
    this.#missing.forget(peer);
    this.#graftRequests.forget(peer);
    if (!this.#isSource || !neighbor.eager) return;
    const [next] = this.#neighbors.values();
    if (next !== undefined) this.#tree.graft(next);
  }

  #writable(peer: string, now: number): void {
    const neighbor = this.#neighbors.get(peer);
    if (neighbor === undefined) return;
    if (this.#isSource && neighbor.stuck) this.#outgoing.control(neighbor, ATTACH);
    this.#outgoing.writable(neighbor, now);
  }

  /** Corrects the counters and state for an output that was not sent. */
  #noRoom(output: PushOutput<P> | ControlOutput, now: number): void {
    const neighbor = this.#neighbors.get(output.to);
    if (neighbor === undefined) return;
    if (output.type === 'push') return this.#outgoing.pushUnsent(neighbor, output, now);
    const { control } = output;
    this.counters.controlSent--;
    if (control.kind === 'ihave') this.#outgoing.noticesUnsent(neighbor, control.notices);
    else if (control.kind === 'prune') this.#tree.pruneUnsent(neighbor);
    else if (control.kind === 'graft') this.#graftUnsent(neighbor, control.ids);
    else if (control.kind === 'attach') neighbor.blocked = neighbor.stuck = true;
  }

  #graftUnsent(neighbor: Neighbor, ids: readonly MessageId[]): void {
    this.#graftRequests.unsent(neighbor, ids);
    this.#leafProbes.unsent(neighbor, ids);
    if (ids.length === 0) this.#messageHandler.undoOptimization(neighbor);
  }

  /**
   * Returns a placeholder for a peer that is no longer a neighbor but brought a message that is
   * still held.
   */
  #departed(from: string, { id }: Push<P>): Neighbor | undefined {
    return isMessageId(id) && this.#missing.isHeld(messageKey(id))
      ? Neighbor.departed(from)
      : undefined;
  }
}

const ATTACH: Control = { kind: 'attach' };
