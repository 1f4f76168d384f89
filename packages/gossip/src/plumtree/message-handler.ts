// Handles messages: those that this node publishes, and those that neighbors push. New ones are
// kept, passed on and delivered; duplicates prune the tree.

import { isMessageId, type MessageId, messageKey } from '../messages/message-id.ts';
import { type Advertiser, nearest } from './advertiser.ts';
import {
  type Absent,
  type Control,
  type Graft,
  type IHave,
  isHops,
  type MessageToPublish,
  MOST_HOPS,
  type Push,
} from './message.ts';
import type { Neighbor } from './neighbor.ts';
import type { PlumtreeParts } from './parts.ts';

export class MessageHandler<P> {
  readonly #parts: PlumtreeParts<P>;
  #due = Number.POSITIVE_INFINITY;

  constructor(parts: PlumtreeParts<P>) {
    this.#parts = parts;
  }

  /** Time at which `expire` has something to do; Infinity if never. */
  get due(): number {
    return this.#due;
  }

  /** Forgets everything whose time is over. */
  expire(now: number): void {
    if (now < this.#due) return;
    this.#parts.cache.expire(now);
    const { due } = this.#parts.cache;
    this.#due =
      due === Number.POSITIVE_INFINITY
        ? due
        : Math.max(now, due) + this.#parts.options.evictInterval;
  }

  publish({ id, payload, size }: MessageToPublish<P>, now: number): void {
    this.#parts.counters.published++;
    const key = messageKey(id);
    const push: Push<P> = { kind: 'push', id, hops: 1, payload, size };
    this.#keep(key, push, undefined, now);
    this.#spread(push, key, undefined, [], now);
  }

  /** Handles a new message that a neighbor pushed. */
  received(neighbor: Neighbor, message: Push<P>, now: number): void {
    const { id, hops, size } = message;
    if (!isMessageId(id) || !isHops(hops) || !(size >= 0))
      return this.#parts.reports.malformed(neighbor, now);
    const key = this.#brought(neighbor, id);
    const { payload } = message;
    const advertisers = this.#parts.missing.take(key);
    this.#parts.leafProbes.gave(neighbor, now);
    for (const { peer } of advertisers)
      this.#parts.leafProbes.gave(this.#parts.neighbors.get(peer), now);
    neighbor.duplicatesInRow = 0;
    neighbor.account.delivered++;
    const push: Push<P> = { kind: 'push', id, hops: Math.min(MOST_HOPS, hops + 1), payload, size };
    this.#keep(key, push, neighbor.id, now);
    this.#spread(push, key, neighbor, advertisers, now);
    // A message that was in flight when this end pruned the link must not make the link eager
    // again, because the other end regards it as pruned.
    if (!this.#parts.tree.isSettling(neighbor, now)) this.#parts.tree.graft(neighbor);
    this.#optimize(neighbor, hops, advertisers, now);
    this.#parts.counters.delivered++;
  }

  /** Notes that the neighbor has sent a message. Returns the key of the message. */
  #brought(neighbor: Neighbor, id: MessageId): string {
    const key = messageKey(id);
    this.#parts.graftRequests.kept(neighbor, key);
    neighbor.owed?.delete(key);
    return key;
  }

  /**
   * Handles a duplicate that a neighbor pushed. Prunes the link, unless the link to the peer that
   * brought the message first is no longer eager. With several messages in flight at once, two links
   * may each bring a duplicate of a message that came first over the other link. Pruning both links
   * would cut this node off (riak_core #378).
   */
  repeated(neighbor: Neighbor, id: MessageId, now: number): void {
    const key = this.#brought(neighbor, id);
    this.#parts.counters.duplicates++;
    neighbor.account.duplicates++;
    this.#parts.leafProbes.gave(neighbor, now);
    const cached = this.#parts.cache.get(key);
    // A message that comes twice over the same link does not prove that there is a second path.
    if (cached?.from === neighbor.id || neighbor.isSource) return;
    if (cached?.from !== undefined) {
      const first = this.#parts.neighbors.get(cached.from);
      // Messages of other publishers don't come from a node that only publishes.
      if (first?.eager !== true || first.isSource) return;
    }
    neighbor.duplicatesInRow++;
    if (
      neighbor.duplicatesInRow < this.#parts.options.pruneAfter ||
      (!neighbor.eager && this.#parts.tree.isSettling(neighbor, now))
    )
      return;
    this.#parts.tree.prune(neighbor, now);
  }

  #keep(key: string, push: Push<P>, from: string | undefined, now: number): void {
    this.#parts.counters.evicted += this.#parts.cache.add(key, push, from, now);
    this.#due = Math.min(
      this.#due,
      now + this.#parts.options.cacheTime + this.#parts.options.evictInterval,
    );
  }

  /**
   * Pushes the message to the eager neighbors and gives notice of it to the others. The neighbor
   * that brought it gets neither, and eager neighbors that are known to have it are skipped.
   */
  #spread(
    push: Push<P>,
    key: string,
    from: Neighbor | undefined,
    advertisers: readonly Advertiser[],
    now: number,
  ): void {
    for (const neighbor of this.#parts.neighbors.values()) {
      if (neighbor === from || neighbor.isSource) continue;
      if (!neighbor.eager) this.#parts.outgoing.notice(neighbor, push, now);
      else if (
        neighbor.id !== push.id.origin &&
        !advertisers.some(({ peer }) => peer === neighbor.id)
      )
        this.#parts.outgoing.push(neighbor, key, push, now);
    }
    this.#parts.outgoing.flushAtOnce(now);
  }

  /**
   * The paper's optimization (algorithm 3): if a peer that gave notice of the message is nearer to
   * the publisher by `optimizeAt` hops or more, that peer replaces the peer that pushed the
   * message.
   */
  #optimize(sender: Neighbor, hops: number, advertisers: readonly Advertiser[], now: number): void {
    const best = nearest(advertisers);
    if (best === undefined || hops - best.hops < this.#parts.options.optimizeAt) return;
    const nearer = this.#parts.neighbors.get(best.peer);
    // One exchange at a time, because messages in flight still come over the old link.
    if (
      nearer === undefined ||
      nearer.isSource ||
      nearer === sender ||
      !sender.eager ||
      this.#parts.tree.isSettling(nearer, now)
    )
      return;
    if (!nearer.eager) {
      this.#parts.graftRequests.graft(nearer, []);
      nearer.replaces = sender.id;
    }
    this.#parts.counters.optimized++;
    this.#parts.tree.graft(nearer);
    this.#parts.tree.prune(sender, now);
  }

  /**
   * Called when no room was left for a graft without ids. If that graft belongs to an optimization,
   * undoes it: restores the farther peer. Otherwise it was to restore this peer, which stays eager
   * here: if the peer regards the link as pruned, its next prune or push settles that.
   */
  undoOptimization(nearer: Neighbor): void {
    const { replaces } = nearer;
    if (replaces === undefined) return;
    nearer.replaces = undefined;
    this.#parts.counters.optimized--;
    this.#parts.tree.leave(nearer);
    const sender = this.#parts.neighbors.get(replaces);
    if (sender === undefined) return;
    sender.replaces = undefined;
    this.#parts.tree.graft(sender);
    this.#parts.graftRequests.graft(sender, []);
  }
}

// Handles the control messages of neighbors: notices, grafts, prunes, and answers to grafts. They
// are untrusted, so their format is checked before use, and the number of their items is limited.
// Processing stops at a malformed item; the items before that have taken effect.

export class ControlHandler<P> {
  readonly #parts: PlumtreeParts<P>;

  constructor(parts: PlumtreeParts<P>) {
    this.#parts = parts;
  }

  received(neighbor: Neighbor, control: Control, now: number): void {
    const { counters, reports } = this.#parts;
    counters.controlReceived++;
    if (control?.kind === 'prune') return this.#onPrune(neighbor, now);
    if (control?.kind === 'ihave' && Array.isArray(control.notices))
      return this.#onIHave(neighbor, control, now);
    if (control?.kind === 'graft' && Array.isArray(control.ids))
      return this.#onGraft(neighbor, control, now);
    if (control?.kind === 'absent' && Array.isArray(control.ids))
      return this.#onAbsent(neighbor, control, now);
    reports.malformed(neighbor, now);
  }

  #onPrune(neighbor: Neighbor, now: number): void {
    const { counters, leafProbes, tree } = this.#parts;
    counters.prunesReceived++;
    // The peer prunes because a message has reached it twice, which shows that it listens.
    leafProbes.answered(neighbor, now);
    tree.leave(neighbor);
  }

  #onIHave(neighbor: Neighbor, { notices }: IHave, now: number): void {
    const { options, counters, look, leafProbes, missing, reports } = this.#parts;
    counters.noticesReceived += notices.length;
    neighbor.account.noticed += notices.length;
    const taken = neighbor.quota.takeNotices(notices.length, options.notices, now);
    let ignored = notices.length - taken;
    for (let i = 0; i < taken; i++) {
      const notice = notices[i];
      if (!isMessageId(notice?.id) || !isHops(notice.hops)) return reports.malformed(neighbor, now);
      const verdict = look(notice.id, now);
      // The notice proves that the peer has the message only if this node has it, too.
      if (verdict === 'seen') leafProbes.gave(neighbor, now);
      if (verdict !== 'new' && !neighbor.owed?.size) continue;
      const key = messageKey(notice.id);
      // The peer has the message, so this node no longer owes it to the peer.
      neighbor.owed?.delete(key);
      if (verdict !== 'new') continue;
      // `advertise` returns false if the peer has announced too many messages that are missing
      // here.
      if (!missing.advertise(notice.id, key, neighbor.id, notice.hops, now)) ignored++;
    }
    counters.ignored += ignored;
    if (ignored > 0) reports.add(neighbor, 'notice-flood', now);
  }

  #onGraft(neighbor: Neighbor, { ids }: Graft, now: number): void {
    const { options, counters, cache, leafProbes, outgoing, reports, tree } = this.#parts;
    counters.graftsReceived++;
    neighbor.account.requested += ids.length;
    // A graft without ids asks for nothing else.
    tree.graft(neighbor);
    const taken = neighbor.quota.takeGrafts(ids.length, options.notices, now);
    let ignored = ids.length - taken;
    const absent: MessageId[] = [];
    for (let i = 0; i < taken; i++) {
      const id = ids[i];
      if (!isMessageId(id)) return reports.malformed(neighbor, now);
      const key = messageKey(id);
      const cached = cache.get(key);
      if (cached === undefined) {
        absent.push(id);
      } else if (neighbor.quota.serve(key, options.backlog) > options.attempts) {
        ignored++;
      } else {
        leafProbes.answered(neighbor, now);
        outgoing.serve(neighbor, key, cached.push);
      }
    }
    const { idsEach } = outgoing;
    for (let i = 0; i < absent.length; i += idsEach)
      outgoing.control(neighbor, { kind: 'absent', ids: absent.slice(i, i + idsEach) });
    counters.ignored += ignored;
    if (ignored > 0) reports.add(neighbor, 'graft-flood', now);
  }

  #onAbsent(neighbor: Neighbor, { ids }: Absent, now: number): void {
    const { graftRequests, leafProbes, missing, outgoing, reports } = this.#parts;
    leafProbes.answered(neighbor, now);
    for (const id of ids.slice(0, outgoing.idsEach)) {
      if (!isMessageId(id)) return reports.malformed(neighbor, now);
      const key = messageKey(id);
      graftRequests.excuse(neighbor.id, key);
      missing.withdraw(key, neighbor.id, now);
    }
  }
}
