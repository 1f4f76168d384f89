// Plumtree: epidemic broadcast trees (Leitão, Pereira, Rodrigues, SRDS 2007; report DI-FCUL
// TR-07-14, algorithms 1 to 3), for one topic. Messages are pushed along a tree that forms by
// itself. All other links of the overlay carry notices, which are used to repair the tree. This
// module owns the tree, the cached messages and the missing ones. Its inputs report links,
// messages, room and time; its outputs push messages, send control messages, and report changes of
// the tree, peers that showed that they have a message, and misbehavior. overlay/partial-view calls
// it; topics/incoming recognizes duplicates and delivers. It uses no sockets, no timers and no
// randomness. options.ts has the bounds; the caller bounds the number of neighbors. Its parts:
// tree.ts and missing-messages.ts. All tests beside this file are tests of it.

import { dropOldest, type Machine } from '@trunkline/peers/internal';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import {
  type Control,
  type ControlOutput,
  type Graft,
  type IHave,
  MOST_HOPS,
  type PlumtreeInit,
  type PlumtreeInput,
  type PlumtreeOutput,
  type Push,
  type PushOutput,
} from './message.ts';
import { type Advertiser, MissingMessages } from './missing-messages.ts';
import { plumtreeOptions } from './options.ts';
import { Neighbor, type PlumtreeCounters, type Quota, Tree } from './tree.ts';

/**
 * The Plumtree state machine of one node for one topic. Give the input `neighbor-up` before any
 * other input from that peer. Control messages and pushes of any other peer are dropped, except
 * that a push of a held message is accepted even if its sender has left meanwhile.
 */
export class Plumtree<P> implements Machine<PlumtreeInput<P>, PlumtreeOutput<P>> {
  readonly counters: PlumtreeCounters;
  readonly #look: PlumtreeInit['look'];
  readonly #tree: Tree<P>;
  /** The limits of the peers that were neighbors last, so that they continue when they return. */
  readonly #quotas = new Map<string, Quota>();
  readonly #missing: MissingMessages<P>;

  constructor({ self, options = plumtreeOptions(), look, isSource = false }: PlumtreeInit) {
    this.#look = look;
    this.#tree = new Tree(self, options, isSource);
    this.counters = this.#tree.counters;
    this.#missing = new MissingMessages(this.#tree);
  }

  /** Handles an input; `PlumtreeInput` explains each. */
  handle(now: number, input: PlumtreeInput<P>): void {
    switch (input.type) {
      case 'received':
        return this.#receive(input.from, input.message, now);
      case 'arrived':
        return this.#missing.arrived(input.id, input.from, now);
      case 'repeated':
        return this.#repeated(input.from, input.id, now);
      case 'publish':
        return this.#passOn(input.push, messageKey(input.push.id), undefined, [], now);
      case 'held':
        return this.#missing.hold(messageKey(input.id));
      case 'released':
        return this.#missing.release(input.id, now);
      case 'dropped':
        return this.#dropped(input.from, input.id, input.mayCome, now);
      case 'neighbor-up':
        return this.#neighborUp(input.peer, input.isSource === true, now);
      case 'neighbor-down':
        return this.#neighborDown(input.peer);
      case 'no-room':
        return this.#noRoom(input.output, now);
      case 'writable':
        return this.#writable(input.peer, now);
      case 'wake':
        this.#tree.flush(now);
        this.#missing.wake(now);
        return this.#tree.cache.expire(now);
    }
  }

  /** Messages that are owed to writable neighbors come from `pollOwed`, after all other outputs. */
  poll(): PlumtreeOutput<P> | undefined {
    return this.#tree.outputs.poll();
  }

  /**
   * Returns the next message that is owed to a writable neighbor. They come one by one, because
   * there may be little room.
   */
  pollOwed(): PushOutput<P> | undefined {
    return this.#tree.nextOwed();
  }

  get wakeAt(): number {
    return Math.min(this.#tree.due, this.#missing.due, this.#tree.cache.due);
  }

  /** Returns the state as plain data, for diagnosis. `pendingGrafts` counts open promises. */
  snapshot() {
    const neighbors = [...this.#tree.neighbors.values()];
    return {
      neighbors: neighbors.map(({ id, eager, blocked }) => ({ id, eager, blocked })),
      cached: { messages: this.#tree.cache.size, bytes: this.#tree.cache.bytes },
      missing: this.#missing.size,
      pendingGrafts: this.#missing.promised,
    };
  }

  /** Returns true if the link to that peer belongs to the tree. */
  isEager(peer: string): boolean {
    return this.#tree.neighbors.get(peer)?.eager ?? false;
  }

  /**
   * Takes a published message out of the cache, so that it is not announced to any further peer.
   * Notices that wait already are still sent; a peer that then asks learns that it is absent.
   */
  withdraw(id: MessageId): void {
    this.#tree.cache.delete(messageKey(id));
  }

  /**
   * Pushes a published message to a neighbor, as if the neighbor had asked for it. A message that
   * is no longer cached is cached again. Returns false if there is no room for such a message, or
   * the peer is no neighbor.
   * @param isAnnounced true if a notice, which the neighbor gets of each cached message, is enough.
   */
  serve(peer: string, push: Push<P>, isAnnounced: boolean, now: number): boolean {
    const neighbor = this.#tree.neighbors.get(peer);
    const key = messageKey(push.id);
    const isCached = this.#tree.cache.has(key);
    if (neighbor === undefined || (neighbor.blocked && !isCached)) return false;
    if (!isCached) this.counters.evicted += this.#tree.cache.add(key, push, undefined, now);
    if (!isCached || !isAnnounced) this.#tree.serve(neighbor, key, push);
    return true;
  }

  /**
   * Counts the messages that will be pushed to a neighbor when it has room, and the notices that
   * wait to be sent to it. `bytes` counts only the messages.
   */
  unsent(peer: string): { readonly messages: number; readonly bytes: number } {
    const { owed, eager = false, notices = [] } = this.#tree.neighbors.get(peer) ?? {};
    const sizes = [...(owed ?? [])].flatMap(([key, isAsked]) =>
      isAsked || eager ? (this.#tree.cache.get(key)?.push.size ?? []) : [],
    );
    // A message that is owed usually waits as a notice, too, and must not count twice.
    const messages = Math.max(sizes.length, notices.length);
    return { messages, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  }

  // Links.

  /**
   * Adds a neighbor. `isSource` is true if that peer only publishes; `tree.isSource` is true if
   * this node does, which then pushes to a single neighbor (see `PlumtreeInit`). The new link is in
   * the tree (`Neighbor.eager`) without an output `grafted`.
   */
  #neighborUp(peer: string, isSource: boolean, now: number): void {
    const { neighbors, options } = this.#tree;
    if (neighbors.has(peer)) return;
    const neighbor = new Neighbor(peer, isSource, this.#quotas.get(peer));
    this.#quotas.delete(peer);
    if (this.#tree.isSource) {
      neighbor.eager = [...neighbors.values()].every(({ eager }) => !eager);
      this.#tree.send(neighbor, ATTACH);
    }
    neighbors.set(peer, neighbor);
    if (isSource) return;
    for (const { push } of this.#tree.cache.newest(options.announce))
      this.#tree.notice(neighbor, push, now);
    this.#tree.flushAtOnce(now);
  }

  #neighborDown(peer: string): void {
    const { neighbors, isSource } = this.#tree;
    const neighbor = neighbors.get(peer);
    if (neighbor === undefined) return;
    this.#tree.remove(neighbor);
    this.#quotas.set(peer, neighbor.quota);
    dropOldest(this.#quotas, DEPARTED);
    this.#missing.forget(neighbor);
    if (!isSource || !neighbor.eager) return;
    const [next] = neighbors.values();
    if (next !== undefined) this.#tree.graft(next);
  }

  #writable(peer: string, now: number): void {
    const neighbor = this.#tree.neighbors.get(peer);
    if (neighbor === undefined) return;
    // There may have been no room for the attach. A second one does nothing.
    if (this.#tree.isSource && neighbor.stuck) this.#tree.send(neighbor, ATTACH);
    this.#tree.writable(neighbor, now);
  }

  /** Corrects the counters and state for an output that was not sent. */
  #noRoom(output: PushOutput<P> | ControlOutput, now: number): void {
    const neighbor = this.#tree.neighbors.get(output.to);
    if (neighbor === undefined) return;
    if (output.type === 'push') return this.#tree.pushUnsent(neighbor, output, now);
    const { control } = output;
    if (control.kind === 'ihave') this.#tree.noticesUnsent(neighbor, control.notices);
    else if (control.kind === 'graft') this.#graftUnsent(neighbor, control.ids, output.replaces);
    else if (control.kind === 'attach') neighbor.blocked = neighbor.stuck = true;
    // An `absent` is not sent again: the peer asks another when its timer expires.
    else if (control.kind === 'prune') {
      // The other end continues to push until the next duplicate.
      this.counters.prunesSent--;
      neighbor.prunedAt = Number.NEGATIVE_INFINITY;
    }
  }

  /**
   * Takes back a graft, and the optimization that it belongs to, if any: restores the farther peer.
   * If there is no room for the graft to that peer, either, it stays eager here, although it may
   * regard the link as pruned. The next message pushed to it settles that: a new one makes the link
   * eager there, too, and a duplicate makes it prune the link.
   */
  #graftUnsent(neighbor: Neighbor, ids: readonly MessageId[], replaces: string | undefined): void {
    const tree = this.#tree;
    this.counters.graftsSent--;
    this.#missing.notAsked(neighbor, ids);
    if (ids[0] === tree.probed) neighbor.probe.askedAt = undefined;
    if (replaces === undefined) return;
    this.counters.optimized--;
    tree.leave(neighbor);
    const farther = tree.neighbors.get(replaces);
    if (farther === undefined) return;
    tree.graft(farther);
    tree.sendGraft(farther, []);
  }

  // Messages: those that this node publishes, and those that neighbors push. New ones are kept and
  // passed on; duplicates prune the tree.

  #receive(from: string, message: Push<P> | Control, now: number): void {
    const neighbor = this.#tree.neighbors.get(from);
    if (message.kind === 'push') this.#receivePush(from, neighbor, message, now);
    else if (neighbor === undefined) this.counters.strangers++;
    else this.#receiveControl(neighbor, message, now);
  }

  /** Handles a new message. If it was held, its sender may no longer be a neighbor. */
  #receivePush(from: string, neighbor: Neighbor | undefined, message: Push<P>, now: number): void {
    const tree = this.#tree;
    const { id, hops, payload, size } = message;
    const key = this.#brought(neighbor, id);
    if (neighbor === undefined && !this.#missing.isHeld(key)) return void this.counters.strangers++;
    const advertisers = this.#missing.take(key);
    if (neighbor !== undefined) tree.gave(neighbor, now);
    for (const advertiser of advertisers) tree.gave(advertiser.neighbor, now);
    const push: Push<P> = { kind: 'push', id, hops: Math.min(MOST_HOPS, hops + 1), payload, size };
    this.#passOn(push, key, from, advertisers, now);
    if (neighbor !== undefined) {
      // A message that was in flight when this end pruned the link must not make the link eager
      // again, because the other end regards it as pruned.
      if (!tree.isSettling(neighbor, now)) tree.graft(neighbor);
      this.#optimize(neighbor, hops, advertisers, now);
    }
    this.counters.delivered++;
  }

  /**
   * Handles a duplicate that a neighbor pushed. Prunes the link, unless the link to the peer that
   * brought the message first is no longer eager. With several messages in flight at once, two
   * links may each bring a duplicate of a message that came first over the other link. Pruning both
   * links would cut this node off (riak_core #378).
   */
  #repeated(from: string, id: MessageId, now: number): void {
    const neighbor = this.#tree.neighbors.get(from);
    if (neighbor === undefined) return;
    const key = this.#brought(neighbor, id);
    this.counters.duplicates++;
    this.#tree.gave(neighbor, now);
    const cached = this.#tree.cache.get(key);
    // A message that comes twice over the same link does not prove that there is a second path.
    if (cached?.from === neighbor.id || neighbor.isSource) return;
    if (cached?.from !== undefined) {
      const first = this.#tree.neighbors.get(cached.from);
      // A first copy from a node that only publishes does not replace this link: messages of other
      // publishers don't come from there.
      if (first?.eager !== true || first.isSource) return;
    }
    const { options } = this.#tree;
    if (options.prunes && (neighbor.eager || !this.#tree.isSettling(neighbor, now)))
      this.#tree.prune(neighbor, now);
  }

  #dropped(from: string, id: MessageId, mayCome: boolean, now: number): void {
    const key = this.#brought(this.#tree.neighbors.get(from), id);
    return mayCome ? this.#missing.release(id, now) : void this.#missing.take(key);
  }

  /**
   * Notes that a peer has sent a message, so that it has kept its promise, if any, and is not owed
   * the message. Returns the key of the message.
   */
  #brought(neighbor: Neighbor | undefined, id: MessageId): string {
    const key = messageKey(id);
    this.#missing.promiseKept(neighbor, key);
    neighbor?.owed?.delete(key);
    return key;
  }

  /**
   * Keeps the message, pushes it to the eager neighbors, and gives notice of it to the others. The
   * neighbor that brought it and those that only publish get neither. Eager neighbors that are
   * known to have it (its publisher, and those that gave notice of it) are skipped, too.
   */
  #passOn(
    push: Push<P>,
    key: string,
    from: string | undefined,
    advertisers: readonly Advertiser[],
    now: number,
  ): void {
    this.counters.evicted += this.#tree.cache.add(key, push, from, now);
    for (const neighbor of this.#tree.neighbors.values()) {
      if (neighbor.id === from || neighbor.isSource) continue;
      if (!neighbor.eager) this.#tree.notice(neighbor, push, now);
      else if (
        neighbor.id !== push.id.origin &&
        !advertisers.some((advertiser) => advertiser.neighbor === neighbor)
      )
        this.#tree.push(neighbor, key, push, now);
    }
    this.#tree.flushAtOnce(now);
  }

  /**
   * The paper's optimization (algorithm 3): if a peer that gave notice of the message is nearer to
   * the publisher by `optimizeAt` hops or more, that peer replaces the peer that pushed the
   * message.
   */
  #optimize(sender: Neighbor, hops: number, advertisers: readonly Advertiser[], now: number): void {
    const tree = this.#tree;
    let best: Advertiser | undefined;
    for (const advertiser of advertisers)
      if (best === undefined || advertiser.hops < best.hops) best = advertiser;
    if (best === undefined || hops - best.hops < tree.options.optimizeAt) return;
    const nearer = best.neighbor;
    // Messages in flight still come over the old link for a while; they must not cause a second
    // exchange. So the sender must be in the tree, and the nearer peer not just pruned.
    if (nearer.isSource || nearer === sender || !sender.eager || tree.isSettling(nearer, now))
      return;
    if (!nearer.eager) tree.sendGraft(nearer, [], sender.id);
    this.counters.optimized++;
    tree.graft(nearer);
    tree.prune(sender, now);
  }

  // Control messages of neighbors: notices, grafts, prunes, and answers to grafts. The overlay
  // handles the attach. The decoder has checked their format, and here the number of their items is
  // limited.

  #receiveControl(neighbor: Neighbor, control: Control, now: number): void {
    switch (control.kind) {
      case 'prune':
        // The peer prunes because a message has reached it twice, which shows that it listens.
        neighbor.probe.answered(now);
        return this.#tree.leave(neighbor);
      case 'ihave':
        return this.#onIHave(neighbor, control, now);
      case 'graft':
        return this.#onGraft(neighbor, control, now);
      case 'absent':
        neighbor.probe.answered(now);
        // An honest peer sends no more ids than that at once.
        for (const id of control.ids.slice(0, this.#tree.options.idsEach))
          this.#missing.lacks(messageKey(id), neighbor, now);
    }
  }

  #onIHave(neighbor: Neighbor, { notices }: IHave, now: number): void {
    const tree = this.#tree;
    const taken = neighbor.quota.take('notices', notices.length, tree.options.notices, now);
    let ignored = notices.length - taken;
    let isSeen = false;
    for (const notice of notices.slice(0, taken)) {
      const verdict = this.#look(notice.id, now);
      // The notice proves that the peer has the message only if this node has it, too.
      isSeen ||= verdict === 'seen';
      if (verdict !== 'new' && !neighbor.owed?.size) continue;
      const key = messageKey(notice.id);
      // The peer has the message, so this node no longer owes it to the peer.
      neighbor.owed?.delete(key);
      if (verdict !== 'new') continue;
      // `advertise` returns false if the peer has announced too many messages that are missing
      // here.
      if (!this.#missing.advertise(notice, key, neighbor, now)) ignored++;
    }
    if (isSeen) tree.gave(neighbor, now);
    this.counters.ignored += ignored;
    if (ignored > 0) tree.report(neighbor, 'notice-flood', now);
  }

  #onGraft(neighbor: Neighbor, { ids }: Graft, now: number): void {
    const tree = this.#tree;
    const { notices, backlog, attempts, idsEach } = tree.options;
    // A graft without ids asks for nothing else.
    tree.graft(neighbor);
    const taken = neighbor.quota.take('grafts', ids.length, notices, now);
    let ignored = ids.length - taken;
    const absent: MessageId[] = [];
    for (const id of ids.slice(0, taken)) {
      const key = messageKey(id);
      const cached = this.#tree.cache.get(key);
      if (cached === undefined) {
        absent.push(id);
      } else if (neighbor.quota.serve(key, backlog) > attempts) {
        ignored++;
      } else {
        neighbor.probe.answered(now);
        this.#tree.serve(neighbor, key, cached.push);
      }
    }
    for (let i = 0; i < absent.length; i += idsEach)
      tree.send(neighbor, { kind: 'absent', ids: absent.slice(i, i + idsEach) });
    this.counters.ignored += ignored;
    if (ignored > 0) tree.report(neighbor, 'graft-flood', now);
  }
}

const ATTACH: Control = { kind: 'attach' };
/** Number of departed peers whose limits are kept, with up to 8,192 served messages each. */
const DEPARTED = 16;
