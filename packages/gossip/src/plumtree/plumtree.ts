// Plumtree: epidemic broadcast trees (Leitão, Pereira, Rodrigues, SRDS 2007; report DI-FCUL
// TR-07-14, algorithms 1 to 3), for one topic. Messages are pushed along a tree that forms by
// itself. All other links of the overlay carry notices, which serve to repair the tree.

import { isMessageId, type MessageId, messageKey } from '../messages/message-id.ts';
import { SeenMessages, type SeenVerdict } from '../messages/seen-messages.ts';
import { type Advertiser, nearest } from './advertiser.ts';
import { PlumtreeCounters } from './counters.ts';
import { GraftRequests } from './graft-requests.ts';
import type { Misbehavior, PlumtreeHost } from './host.ts';
import { LeafProbes } from './leaf-probes.ts';
import {
  type Absent,
  type Control,
  type Graft,
  type IHave,
  isHops,
  MOST_HOPS,
  type Push,
} from './message.ts';
import { MessageCache } from './message-cache.ts';
import { MissingMessages } from './missing-messages.ts';
import { Neighbor } from './neighbor.ts';
import { type PlumtreeOptions, plumtreeOptions } from './options.ts';
import { Outgoing } from './outgoing.ts';
import { OwnMessages } from './own-messages.ts';
import { Tree } from './tree.ts';
import type { PlumtreeInit, PlumtreeSnapshot, Publication } from './types.ts';

/**
 * The Plumtree state machine of one node for one topic. Times are milliseconds of a monotonic
 * clock. Call `wake` at the time that `due` gives, and read `due` again after every call. The host
 * calls `neighborUp` before it passes on any input of that peer; input of anybody else is dropped.
 * No method throws because of something that a peer sent.
 */
export class Plumtree<P> {
  readonly counters = new PlumtreeCounters();
  readonly #self: string;
  readonly #host: PlumtreeHost<P>;
  readonly #options: PlumtreeOptions;
  readonly #digest: ((payload: P) => number) | undefined;
  readonly #isSigned: ((payload: P) => boolean) | undefined;
  readonly #neighbors = new Map<string, Neighbor>();
  readonly #outgoing: Outgoing<P>;
  readonly #cache: MessageCache<P>;
  readonly #seen: SeenMessages;
  readonly #tree: Tree<P>;
  readonly #missing: MissingMessages;
  readonly #graftRequests: GraftRequests<P>;
  readonly #leafProbes: LeafProbes;
  readonly #own: OwnMessages;
  #evictAt = Number.POSITIVE_INFINITY;

  constructor({ self, host, options = DEFAULTS, digest, isSigned, latest }: PlumtreeInit<P>) {
    this.#self = self;
    this.#host = host;
    this.#options = options;
    this.#digest = digest;
    this.#isSigned = isSigned;
    this.#cache = new MessageCache(options);
    this.#outgoing = new Outgoing({
      host,
      options,
      counters: this.counters,
      cache: this.#cache,
      onTold: (told, now) => this.#leafProbes.weigh(told, now),
    });
    this.#tree = new Tree({
      host,
      counters: this.counters,
      outgoing: this.#outgoing,
      settleTime: options.settleTime,
    });
    this.#seen = new SeenMessages({
      retention: options.idTime,
      originRetention: options.originTime,
      origins: options.origins,
      // Other nodes may have more room, and pass on messages that this node has no room for.
      flood: Math.max(options.origins, DEFAULTS.origins),
      gaps: options.gaps,
      digests: options.digests,
      latest,
    });
    this.#own = new OwnMessages(self, { retention: options.idTime, gaps: options.gaps });
    this.#missing = new MissingMessages(options);
    this.#graftRequests = new GraftRequests({
      options,
      counters: this.counters,
      missing: this.#missing,
      neighbors: this.#neighbors,
      outgoing: this.#outgoing,
      tree: this.#tree,
      onBroken: (neighbor, now) => this.#report(neighbor, 'broken-promise', now),
    });
    this.#leafProbes = new LeafProbes({
      self,
      options,
      graft: (neighbor, ids) => this.#graftRequests.graft(neighbor, ids),
      onGave: (neighbor) => host.gave?.(neighbor.id),
      onMute: (neighbor, now) => this.#report(neighbor, 'mute', now),
    });
  }

  /** When `wake` has something to do; Infinity if nothing is due unless something happens. */
  get due(): number {
    return Math.min(this.#outgoing.due, this.#graftRequests.due, this.#evictAt);
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
      ...this.#seen.size,
    };
  }

  /**
   * Returns the verdict on a message that a peer pushed, without looking at its content. Any
   * verdict but `new` means that the message is refused.
   */
  screen(id: MessageId, now: number, isSigned?: boolean, from?: string): SeenVerdict {
    return id.origin === this.#self
      ? this.#own.look(id, now)
      : this.#seen.look(id, now, isSigned, from);
  }

  /**
   * Returns true if a message with that id was here already, or would be refused for another
   * reason. Assumes that the message is signed if its origin is known to sign.
   */
  isKnown(id: MessageId, now: number): boolean {
    return this.#look(id, now) !== 'new';
  }

  /** The newest life of another node whose messages have arrived; undefined if there were none. */
  lifeOf(origin: string): number | undefined {
    return this.#seen.lifeOf(origin);
  }

  /**
   * A link is up. It belongs to the tree until a duplicate comes over it (the paper's NeighborUp).
   * The peer gets notice of the cached messages, so that parts of the network that were apart get
   * what each of them missed. Does nothing if the link is up already.
   */
  neighborUp(peer: string, now: number): void {
    if (peer === this.#self || this.#neighbors.has(peer)) return;
    const neighbor = new Neighbor(peer, now);
    this.#neighbors.set(peer, neighbor);
    if (this.#options.announce === 0) return;
    for (const { push } of this.#cache.newest(this.#options.announce))
      this.#outgoing.notice(neighbor, push, now);
    this.#flushAtOnce(now);
  }

  /** The link is down. The peer's notices, promises and owed messages are forgotten. */
  neighborDown(peer: string): void {
    const neighbor = this.#neighbors.get(peer);
    if (neighbor === undefined) return;
    this.#neighbors.delete(peer);
    this.#outgoing.forget(neighbor);
    this.#missing.forget(peer);
    this.#graftRequests.forget(peer);
  }

  /**
   * Publishes a message.
   * @returns the number of peers that it was pushed to, and the number of those that get notice of
   * it.
   * @throws TypeError if the id is another node's, or was published before.
   */
  publish(
    { id, payload, size }: Publication<P>,
    now: number,
  ): { readonly pushed: number; readonly announced: number } {
    this.#own.publish(id, now);
    this.counters.published++;
    const key = messageKey(id);
    const push: Push<P> = { kind: 'push', id, hops: 1, payload, size };
    this.#keep(key, push, undefined, now);
    return this.#spread(push, key, undefined, [], now);
  }

  /** Returns true if the link to that peer belongs to the tree. */
  isEager(peer: string): boolean {
    return this.#neighbors.get(peer)?.eager ?? false;
  }

  /**
   * Pushes a cached message to a neighbor, as if the neighbor had asked for it. Returns false if
   * there is no such neighbor or message.
   */
  push(peer: string, id: MessageId): boolean {
    const neighbor = this.#neighbors.get(peer);
    const key = messageKey(id);
    const cached = this.#cache.get(key);
    if (neighbor === undefined || cached === undefined) return false;
    this.#outgoing.serve(neighbor, key, cached.push);
    return true;
  }

  /** Takes a published message out of the cache, so that no further peer learns of it. */
  withdraw(id: MessageId): void {
    this.#cache.delete(messageKey(id));
  }

  /**
   * A peer sent that message, and the host may still refuse it. If the peer had been asked for it,
   * it has kept its promise. The key is only computed if a message is missing or a promise is open.
   */
  arrived(from: string, id: MessageId, now: number): void {
    const key = this.#missing.size + this.#graftRequests.pendingGrafts > 0 ? messageKey(id) : '';
    this.#missing.arrived(key, from, now);
    this.#graftRequests.kept(this.#neighbors.get(from), key);
  }

  /**
   * The host is looking at a message that arrived. Until it calls `received` or `refuse` for the
   * message, no other peer is asked for it.
   */
  hold(id: MessageId): void {
    this.#missing.hold(messageKey(id));
  }

  /**
   * The host does not accept a message that arrived. No peer is asked for it any more, not even
   * peers that give notice of it later. If the message is pushed all the same, it counts as new:
   * ids can be guessed, so the refused message may have been a forgery under the id of a true one.
   */
  refuse(id: MessageId): void {
    this.#missing.refuse(messageKey(id));
  }

  /** A peer sent that. Malformed messages are ignored and reported. */
  received(from: string, message: Push<P> | Control, now: number): void {
    const kind = message?.kind;
    const neighbor =
      this.#neighbors.get(from) ??
      (kind === 'push' ? this.#departed(from, message as Push<P>) : undefined);
    if (neighbor === undefined) return void this.counters.strangers++;
    if (kind === 'push') return this.#onPush(neighbor, message as Push<P>, now);
    this.counters.controlReceived++;
    if (kind === 'prune') return this.#onPrune(neighbor, now);
    if (kind === 'ihave' && Array.isArray(message.notices))
      return this.#onIHave(neighbor, message, now);
    if (kind === 'graft' && Array.isArray(message.ids))
      return this.#onGraft(neighbor, message, now);
    if (kind === 'absent' && Array.isArray(message.ids))
      return this.#onAbsent(neighbor, message, now);
    this.#malformed(neighbor, now);
  }

  /** The host has room again for messages to that peer. */
  writable(peer: string, now: number): void {
    const neighbor = this.#neighbors.get(peer);
    if (neighbor !== undefined) this.#outgoing.writable(neighbor, now);
  }

  /**
   * Messages that will be pushed to a neighbor when it has room, and notices that wait for it.
   * `bytes` counts the messages alone.
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

  /** Does everything that is due. */
  wake(now: number): void {
    this.#outgoing.flush(now);
    this.#graftRequests.wake(now);
    this.#evict(now);
  }

  #onPush(neighbor: Neighbor, message: Push<P>, now: number): void {
    const { id, hops, size } = message;
    if (!isMessageId(id) || !isHops(hops) || !(size >= 0)) return this.#malformed(neighbor, now);
    const key = messageKey(id);
    this.#graftRequests.kept(neighbor, key);
    neighbor.owed?.delete(key);
    const { payload } = message;
    const isSigned = this.#isSigned?.(payload) === true;
    const verdict =
      id.origin === this.#self
        ? this.#look(id, now)
        : this.#seen.note(id, now, this.#digest?.(payload), isSigned, neighbor.id);
    if (verdict === 'seen' || verdict === 'conflict')
      return this.#onDuplicate(neighbor, key, id, verdict === 'conflict', now);
    if (id.origin === this.#self) return this.#refuseOwn(neighbor, id, now);
    if (verdict === 'new') return this.#onNew(neighbor, key, message, now);
    const reason = verdict === 'flood' ? 'full' : verdict;
    // The signed message under that id may still come. If there is no room for what this peer
    // brings, another peer may still bring the message.
    const mayCome =
      reason === 'unsigned' || (reason === 'full' && this.#seen.look(id, now, isSigned) === 'new');
    if (!mayCome) this.#missing.take(key);
    this.counters[reason]++;
    this.#host.dropped?.(id, neighbor.id, reason);
    if (verdict === 'flood') this.#report(neighbor, 'origin-flood', now);
  }

  #onNew(neighbor: Neighbor, key: string, message: Push<P>, now: number): void {
    const { id, hops, payload, size } = message;
    const advertisers = this.#missing.take(key);
    this.#leafProbes.gave(neighbor, now);
    for (const { peer } of advertisers) this.#leafProbes.gave(this.#neighbors.get(peer), now);
    neighbor.duplicatesInRow = 0;
    neighbor.account.delivered++;
    const push: Push<P> = { kind: 'push', id, hops: Math.min(MOST_HOPS, hops + 1), payload, size };
    this.#keep(key, push, neighbor.id, now);
    this.#spread(push, key, neighbor, advertisers, now);
    // A message that was in flight when this end pruned the link must not make the link eager
    // again, because the other end holds it pruned.
    if (!this.#tree.isSettling(neighbor, now)) this.#tree.graft(neighbor);
    this.#optimize(neighbor, hops, advertisers, now);
    this.counters.delivered++;
    this.#host.deliver(message, { id, key, origin: id.origin, from: neighbor.id, hops });
  }

  /**
   * Prunes the link, unless the link to the peer that brought the message first is no longer eager.
   * With several messages in flight at once, each of two links may bring the duplicate of the
   * other's message, and pruning both would cut this node off (riak_core #378).
   */
  #onDuplicate(
    neighbor: Neighbor,
    key: string,
    id: MessageId,
    isConflict: boolean,
    now: number,
  ): void {
    this.counters.duplicates++;
    neighbor.account.duplicates++;
    this.#leafProbes.gave(neighbor, now);
    this.#host.duplicate?.(id, neighbor.id);
    if (isConflict) {
      this.counters.conflicts++;
      this.#report(neighbor, 'conflict', now);
    }
    const cached = this.#cache.get(key);
    // A link that brings the same message twice is no second path.
    if (cached?.from === neighbor.id) return;
    if (cached?.from !== undefined && !this.#neighbors.get(cached.from)?.eager) return;
    neighbor.duplicatesInRow++;
    if (
      neighbor.duplicatesInRow < this.#options.pruneAfter ||
      (!neighbor.eager && this.#tree.isSettling(neighbor, now))
    )
      return;
    this.#tree.prune(neighbor, now);
  }

  #onPrune(neighbor: Neighbor, now: number): void {
    this.counters.prunesReceived++;
    // The peer prunes because a message reached it twice, so it listens.
    this.#leafProbes.answered(neighbor, now);
    this.#tree.leave(neighbor);
  }

  #onIHave(neighbor: Neighbor, { notices }: IHave, now: number): void {
    this.counters.noticesReceived += notices.length;
    neighbor.account.noticed += notices.length;
    const taken = neighbor.takeNotices(notices.length, this.#options.notices, now);
    let ignored = notices.length - taken;
    for (let i = 0; i < taken; i++) {
      const notice = notices[i];
      if (!isMessageId(notice?.id) || !isHops(notice.hops)) return this.#malformed(neighbor, now);
      const verdict = this.#look(notice.id, now);
      if (verdict === 'seen') this.#leafProbes.gave(neighbor, now);
      if (verdict !== 'new' && !neighbor.owed?.size) continue;
      const key = messageKey(notice.id);
      neighbor.owed?.delete(key);
      if (verdict !== 'new' || notice.id.origin === this.#self) continue;
      if (!this.#missing.advertise(notice.id, key, neighbor.id, notice.hops, now)) ignored++;
    }
    this.counters.ignored += ignored;
    if (ignored > 0) this.#report(neighbor, 'notice-flood', now);
  }

  #onGraft(neighbor: Neighbor, { ids }: Graft, now: number): void {
    this.counters.graftsReceived++;
    neighbor.account.requested += ids.length;
    this.#tree.graft(neighbor);
    const taken = neighbor.takeGrafts(ids.length, this.#options.notices, now);
    let ignored = ids.length - taken;
    const absent: MessageId[] = [];
    for (let i = 0; i < taken; i++) {
      const id = ids[i];
      if (!isMessageId(id)) return this.#malformed(neighbor, now);
      const key = messageKey(id);
      const cached = this.#cache.get(key);
      if (cached === undefined) {
        if (absent.length < this.#outgoing.idsEach) absent.push(id);
      } else if (neighbor.serve(key, this.#options.backlog) > this.#options.attempts) {
        ignored++;
      } else {
        this.#leafProbes.answered(neighbor, now);
        this.#outgoing.serve(neighbor, key, cached.push);
      }
    }
    if (absent.length > 0) this.#outgoing.control(neighbor, { kind: 'absent', ids: absent });
    this.counters.ignored += ignored;
    if (ignored > 0) this.#report(neighbor, 'graft-flood', now);
  }

  #onAbsent(neighbor: Neighbor, { ids }: Absent, now: number): void {
    this.#leafProbes.answered(neighbor, now);
    for (const id of ids.slice(0, this.#outgoing.idsEach)) {
      if (!isMessageId(id)) return this.#malformed(neighbor, now);
      const key = messageKey(id);
      this.#graftRequests.excuse(neighbor.id, key);
      this.#missing.withdraw(key, neighbor.id, now);
    }
  }

  #refuseOwn(neighbor: Neighbor, id: MessageId, now: number): void {
    this.counters.own++;
    this.#host.dropped?.(id, neighbor.id, 'own');
    if (this.#own.look(id, now) === 'new') this.#report(neighbor, 'impostor', now);
  }

  /**
   * Returns a placeholder for a peer that brought a message that is still held, and is no longer a
   * neighbor.
   */
  #departed(from: string, { id }: Push<P>): Neighbor | undefined {
    return isMessageId(id) && this.#missing.isHeld(messageKey(id))
      ? Neighbor.departed(from)
      : undefined;
  }

  #malformed(neighbor: Neighbor, now: number): void {
    this.counters.malformed++;
    this.#report(neighbor, 'malformed', now);
  }

  #keep(key: string, push: Push<P>, from: string | undefined, now: number): void {
    this.counters.evicted += this.#cache.add(key, push, from, now);
    this.#evictAt = Math.min(
      this.#evictAt,
      now + this.#options.cacheTime + this.#options.evictInterval,
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
  ): { pushed: number; announced: number } {
    let pushed = 0;
    let announced = 0;
    for (const neighbor of this.#neighbors.values()) {
      if (neighbor === from) continue;
      if (!neighbor.eager) {
        this.#outgoing.notice(neighbor, push, now);
        announced++;
      } else if (
        neighbor.id !== push.id.origin &&
        !advertisers.some(({ peer }) => peer === neighbor.id)
      ) {
        if (this.#outgoing.push(neighbor, key, push, now)) pushed++;
        else announced++;
      }
    }
    this.#flushAtOnce(now);
    return { pushed, announced };
  }

  /**
   * The paper's optimization (algorithm 3): if a peer that gave notice of the message is nearer to
   * the publisher by `optimizeAt` hops or more, it takes the place of the peer that pushed the
   * message.
   */
  #optimize(sender: Neighbor, hops: number, advertisers: readonly Advertiser[], now: number): void {
    const best = nearest(advertisers);
    if (best === undefined || hops - best.hops < this.#options.optimizeAt) return;
    const nearer = this.#neighbors.get(best.peer);
    // One exchange at a time, because messages in flight still come over the old link.
    if (
      nearer === undefined ||
      nearer === sender ||
      !sender.eager ||
      this.#tree.isSettling(nearer, now)
    )
      return;
    if (!nearer.eager && !this.#graftRequests.graft(nearer, [])) return;
    this.counters.optimized++;
    this.#tree.graft(nearer);
    this.#tree.prune(sender, now);
  }

  #evict(now: number): void {
    if (now < this.#evictAt) return;
    this.#cache.expire(now);
    this.#seen.expire(now);
    this.#own.expire(now);
    const due = Math.min(this.#cache.due, this.#seen.due);
    this.#evictAt =
      due === Number.POSITIVE_INFINITY ? due : Math.max(now, due) + this.#options.evictInterval;
  }

  #look(id: MessageId, now: number): SeenVerdict {
    return id.origin === this.#self ? this.#own.look(id, now) : this.#seen.lookUp(id, now);
  }

  #report(neighbor: Neighbor, what: Misbehavior, now: number): void {
    if (this.#host.misbehaved !== undefined && neighbor.isNews(what, now))
      this.#host.misbehaved(neighbor.id, what);
  }

  #flushAtOnce(now: number): void {
    if (this.#options.noticeDelay === 0) this.#outgoing.flush(now);
  }
}

const DEFAULTS = plumtreeOptions();
