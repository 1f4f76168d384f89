// HyParView (Leitão, Pereira, Rodrigues, DSN 2007): each of thousands of nodes keeps a few
// symmetric links, and remembers some peers to replace lost ones. This module owns the views of one
// node on one topic. Its inputs are messages, lost links and the time; its outputs are messages to
// send and changes of neighbors. It uses no timers, no sockets and no randomness but the given one;
// overlay/partial-view calls it. Its parts: views.ts holds the lists of peers and exchanges them in
// shuffles, requests.ts holds the open requests for links and says when more are due, message.ts
// explains the inputs, outputs and messages, options.ts has the bounds. All tests beside this file
// are tests of it, apart from those of the parts: partial-view.test.ts of asking and answering,
// partial-view.full-view.test.ts of evictions, recovery.test.ts of searches, distrust.test.ts.

import { type Machine, RateLimit } from '@trunkline/peers/internal';
import type { TransportError } from '@trunkline/transport-core';
import {
  type DownCause,
  isPeerId,
  type MessageOf,
  type PartialViewInput,
  type PartialViewOutput,
  type PartialViewSetup,
  type Suggestions,
  tidyMessage,
} from './message.ts';
import type { PartialViewConfig } from './options.ts';
import { isFilling, isOwnChoice, Merges, type Purpose, Requests, Search } from './requests.ts';
import { type ActiveView, Shuffles, Views } from './views.ts';

/**
 * One node's view of one topic. It accepts links from the start; the inputs `join` and `found` name
 * the nodes to ask for links.
 */
export class PartialView implements Machine<PartialViewInput, PartialViewOutput> {
  readonly #config: PartialViewConfig;
  readonly #views: Views;
  readonly #active: ActiveView;
  readonly #requests: Requests;
  readonly #search: Search;
  readonly #shuffles: Shuffles;
  readonly #merges: Merges;
  /**
   * Limits how often this node does favors for nodes that ask: accepts and introduces newcomers,
   * gives up links, or asks a newcomer although the view is full. The second limit is for contacts;
   * strangers can't use it up. A node that takes the place of a distrusted neighbor needs no favor.
   */
  readonly #favors: RateLimit;
  readonly #favorsForContacts: RateLimit;
  /**
   * A newcomer becomes a member when a peer accepts it. If it has only accepted others, the input
   * `join` makes it a member. After leaving, it joins again as a newcomer.
   */
  #phase: 'newcomer' | 'member' | 'leaving' = 'newcomer';
  /**
   * Time until which a node that was just accepted as a newcomer asks nobody, because those that it
   * was introduced to will ask it. `wakeAt` does not contain it: the next input or round follows.
   */
  #waitsUntil = Number.NEGATIVE_INFINITY;
  /** True if nobody was left to ask when a place was last to be filled. */
  #lacksPeers = false;
  /**
   * The last peer with room that was refused a link, without newcomers. Other peers that are
   * refused are told of it, until another takes its place. It may have no room any more, or be
   * gone; a peer that follows the hint then sends one request in vain.
   */
  #refused: string | undefined;
  /** Time at which the passive peers were last greeted; see `#greetPassive`. */
  #greetedAt = Number.NEGATIVE_INFINITY;

  constructor(setup: PartialViewSetup) {
    const { random, now, config } = setup;
    this.#config = config;
    this.#views = new Views(setup);
    this.#active = this.#views.active;
    this.#requests = new Requests(config.neighborTimeout, random);
    this.#search = new Search(config.passive + config.contacts, config.shuffleInterval, random);
    this.#shuffles = new Shuffles(this.#views, now);
    this.#merges = new Merges(config.mergeInterval, random, now);
    this.#favors = new RateLimit(2 * config.active, config.favorInterval);
    this.#favorsForContacts = new RateLimit(2 * config.active, config.favorInterval);
  }

  handle(now: number, input: PartialViewInput): void {
    // `gave` comes with each message, and does not concern the search.
    if (input.type === 'gave') {
      const link = this.#active.get(input.peer);
      if (link !== undefined) link.gave = true;
      return;
    }
    this.#take(now, input);
    this.#search.update(this.#isShort, now);
  }

  poll(): PartialViewOutput | undefined {
    return this.#views.outputs.poll();
  }

  get wakeAt(): number {
    if (this.#isLeaving) return Number.POSITIVE_INFINITY;
    return Math.min(this.#requests.due, this.#shuffles.due, this.#merges.due, this.#search.due);
  }

  /** The neighbors. */
  active(): string[] {
    return this.#active.peers();
  }

  passive(): string[] {
    return [...this.#views.passive];
  }

  isNeighbor(peer: string): boolean {
    return this.#active.has(peer);
  }

  /**
   * True if all links may belong to one attacker: others chose all of them, or many nodes request
   * links while this node chose at most `own`.
   */
  isPressed(now: number): boolean {
    const { chosen, size } = this.#active;
    if (chosen === 0 && size > 0) return true;
    return chosen <= this.#config.own && this.#favors.isScarce(now);
  }

  /**
   * True if this node has too few links to trusted peers and nobody is left to ask, so that more
   * contacts would help. Only tests read it: the driver searches whenever neighbors are missing.
   */
  get isHungry(): boolean {
    return this.#lacksPeers && this.#isShort;
  }

  get #isLeaving(): boolean {
    return this.#phase === 'leaving';
  }

  /** True if this node wants more links than it has to trusted peers. */
  get #isShort(): boolean {
    return !this.#isLeaving && this.#active.size - this.#active.distrusted < this.#config.active;
  }

  #take(now: number, input: Exclude<PartialViewInput, { readonly type: 'gave' }>): void {
    switch (input.type) {
      case 'join':
        this.#phase = this.#active.size > 0 ? 'member' : 'newcomer';
        this.#search.restart();
        this.#views.know(input.contacts, true);
        return this.#fill(now);
      case 'found':
        if (this.#views.know(input.nodes, input.isChosen)) this.#merges.noteReason(now);
        return this.#fill(now);
      case 'received':
        return this.#receive(input.from, input.message, now);
      case 'lost':
        return this.#lose(input.peer, input.error, now);
      case 'reject':
        return this.#tellStranger(input.peer);
      case 'dismiss':
        return this.#dismiss(input.peer, now);
      case 'distrusted':
        return this.#fill(now);
      case 'seek':
        if (this.#merges.isOn && !this.#isLeaving) this.#seek('merge', now);
        return;
      case 'leave':
        return this.#leave(now);
      case 'wake':
        return this.#wake(now);
    }
  }

  #dismiss(peer: string, now: number): void {
    if (!this.#active.has(peer)) return;
    // First, so that `#drop` does not put the peer into the passive view.
    this.#views.lost(peer, now);
    this.#drop(peer, 'evicted', undefined, now);
    this.#lostPlace();
    this.#seek('replace', now);
    this.#fill(now);
  }

  #leave(now: number): void {
    this.#phase = 'leaving';
    this.#requests.clear();
    for (const peer of this.#active.peers()) this.#drop(peer, 'closed', undefined, now);
  }

  #receive(from: string, given: unknown, now: number): void {
    const { self } = this.#views;
    const message = tidyMessage(given, self, this.#config);
    if (message === undefined || from === self || !isPeerId(from)) return;
    switch (message.type) {
      case 'join':
      case 'neighbor':
        return this.#onAsked(from, message, now);
      case 'accept':
        return this.#onAccept(from, message, now);
      case 'refuse':
        return this.#onRefuse(from, message, now);
      case 'forward-join':
        return this.#onForwardJoin(from, message, now);
      case 'shuffle':
        return this.#onShuffle(from, message, now);
      case 'shuffle-reply':
        if (this.#shuffles.replied(message, now)) this.#fill(now);
        return;
      case 'disconnect':
        return this.#onDisconnect(from, message, now);
    }
  }

  /**
   * Handles a request for a link. Newcomers and requests with high priority are accepted even if
   * another link must be evicted, but only at a limited rate, which holds for newcomers even if
   * there is room. Any trusted node takes the place of a distrusted one, and a distrusted node
   * takes no other node's place.
   */
  #onAsked(from: string, asked: MessageOf<'join' | 'neighbor'>, now: number): void {
    const { request } = asked;
    if (this.#isLeaving) return this.#tellStranger(from);
    this.#views.losses.delete(from);
    const isNewcomer = asked.type === 'join';
    if (this.#active.has(from)) {
      // Either this node's answer was lost, or the newcomer has restarted and forgotten the link.
      // In the second case it must be introduced again.
      this.#views.send(from, { type: 'accept', request, free: undefined });
      if (isNewcomer && this.#takeFavor(from, now)) this.#introduce(from);
      return;
    }
    const purpose = this.#requests.get(from)?.purpose;
    const isFull = this.#active.size >= this.#config.active;
    const isBarred = isFull && this.#views.isDistrusted(from);
    const replacesDistrusted = isFull && this.#active.distrusted > 0;
    const needsFavor = isNewcomer || (isFull && asked.high);
    const isWelcome =
      !isBarred && (replacesDistrusted || (needsFavor ? this.#takeFavor(from, now) : !isFull));
    if (!isWelcome) {
      // The node refused last usually still has room, so two nodes that search find each other.
      const free = this.#refused === from ? undefined : this.#refused;
      if (!isNewcomer && !asked.full) this.#refused = from;
      this.#views.send(from, { type: 'refuse', request, free, peers: this.#views.some(from) });
      return;
    }
    this.#requests.delete(from);
    // The evicted peer is told of `from` if that is not full: it may have room for more links.
    const hasRoom = isNewcomer || !asked.full;
    const evicted = isFull ? this.#evict(hasRoom ? from : undefined, now) : undefined;
    // While this node has chosen few links, a contact that asks for a link is treated like a node
    // that was asked.
    const isLikeOwn = this.#active.chosen < this.#config.own && this.#views.contacts.includes(from);
    this.#link(from, isLikeOwn || (purpose !== undefined && isOwnChoice(purpose)), now);
    this.#views.send(from, { type: 'accept', request, free: evicted });
    if (isNewcomer) this.#introduce(from);
  }

  /** Returns true if a favor may be done for that peer now, and counts it against the limit. */
  #takeFavor(peer: string, now: number): boolean {
    if (this.#favors.tryTake(now)) return true;
    return this.#views.contacts.includes(peer) && this.#favorsForContacts.tryTake(now);
  }

  #introduce(newcomer: string): void {
    const ttl = this.#config.joinWalk;
    for (const peer of this.#active.peers())
      if (peer !== newcomer) this.#views.send(peer, { type: 'forward-join', peer: newcomer, ttl });
  }

  #onAccept(from: string, { request, free }: MessageOf<'accept'>, now: number): void {
    const purpose = this.#requests.answered(from, request);
    // Both may have asked at the same time, and this node has accepted the other's request already.
    if (this.#active.has(from)) return;
    if (purpose === undefined || this.#isLeaving) return this.#tellStranger(from);
    if (this.#active.size >= this.#config.active) {
      // These links are worth an eviction, whether the view was full from the start (as often with
      // `merge`) or has become full since the request.
      const mayEvict = purpose === 'merge' || purpose === 'replace' || purpose === 'introduced';
      const isOwn = isOwnChoice(purpose) && this.#active.chosen < this.#config.own;
      if (this.#views.isDistrusted(from) || !(mayEvict || isOwn || this.#active.distrusted > 0)) {
        this.#disconnect(from, true, this.#views.some(from));
        return this.#views.remember([from], now);
      }
      // The evicted peer is told who has room for it: a newcomer that was introduced, or otherwise
      // the peer that the other end evicted for this link (`free`).
      this.#evict(purpose === 'introduced' ? from : free, now);
    }
    if (purpose === 'merge') this.#merges.succeeded(now);
    this.#phase = 'member';
    if (purpose === 'join') this.#waitsUntil = now + this.#config.neighborTimeout;
    this.#link(from, isOwnChoice(purpose), now);
    this.#fill(now);
  }

  #onRefuse(from: string, refusal: MessageOf<'refuse'>, now: number): void {
    const purpose = this.#requests.answered(from, refusal.request);
    if (purpose === undefined || !isFilling(purpose)) return;
    this.#search.refusals++;
    this.#views.remember([from], now);
    this.#follow(refusal, now);
  }

  #onForwardJoin(from: string, message: MessageOf<'forward-join'>, now: number): void {
    const { peer: newcomer, ttl } = message;
    const link = this.#active.get(from);
    if (link === undefined) return this.#tellStranger(from);
    if (!link.introductions.tryTake(now) || newcomer === from || this.#active.has(newcomer)) return;
    if (ttl > 0 && this.#active.size > 1) {
      if (ttl === this.#config.passiveWalk) this.#views.remember([newcomer], now);
      const next = this.#views.nextHop(from, newcomer);
      if (next !== undefined)
        return this.#views.send(next, { type: 'forward-join', peer: newcomer, ttl: ttl - 1 });
    }
    // The newcomer is asked before it is added, because it may not be reachable from here.
    if (this.#requests.isWaiting(newcomer) || this.#views.isLost(newcomer, now)) return;
    // Requests under way may fill the view first; then the newcomer's answer evicts a neighbor.
    const mayFit = this.#active.size + this.#requests.waiting.length < this.#config.active;
    if (mayFit || this.#takeFavor(newcomer, now)) this.#ask(newcomer, 'introduced', false, now);
    else this.#views.remember([newcomer], now);
  }

  #onShuffle(from: string, shuffle: MessageOf<'shuffle'>, now: number): void {
    const link = this.#active.get(from);
    if (link !== undefined) this.#shuffles.received(link, shuffle, now);
    // A greeting: the sender is alive and knows this node.
    else if (this.#isShort) this.#views.remember([from], now);
    // In both cases there may be a new passive peer to ask.
    this.#fill(now);
    if (link === undefined) this.#tellStranger(from);
  }

  #onDisconnect(from: string, message: MessageOf<'disconnect'>, now: number): void {
    const { alive } = message;
    // It has no number, so it also ends a request that crossed it. The answer to that request then
    // fits none, and `#onAccept` tells the peer that it is a stranger.
    const wasAsked = this.#requests.delete(from);
    if (this.#active.delete(from)) {
      this.#down(from, alive ? 'disconnected' : 'left');
      this.#lostPlace();
    } else if (!wasAsked) return;
    if (alive) {
      this.#search.exclude(from);
      this.#views.remember([from], now);
    } else {
      this.#views.lost(from, now);
      this.#views.forget(from);
    }
    this.#follow(message, now);
  }

  #lose(peer: string, error: TransportError | undefined, now: number): void {
    const wasAsked = this.#requests.delete(peer);
    const wasNeighbor = this.#active.delete(peer);
    if (wasAsked || wasNeighbor || this.#views.passive.includes(peer)) this.#views.lost(peer, now);
    this.#views.forget(peer);
    if (wasNeighbor) {
      this.#merges.noteReason(now);
      this.#down(peer, 'lost', error);
      this.#lostPlace();
    }
    this.#fill(now);
  }

  /**
   * Called after a neighbor was lost. A full view may have asked all nodes already, for the place
   * of a distrusted neighbor; a free place must not wait for their next round.
   */
  #lostPlace(): void {
    if (this.#active.size === this.#config.active - 1) this.#search.restart();
  }

  #wake(now: number): void {
    if (this.#isLeaving) return;
    const changed = this.#requests.expire(now, (peer) => this.#views.forget(peer));
    const isShuffle = this.#shuffles.begin(now);
    // If all links may belong to one attacker, this node asks for a link of its own choice at each
    // shuffle, rather than only at the next merge.
    if (now >= this.#merges.due || (isShuffle && this.#merges.isOn && this.isPressed(now))) {
      this.#merges.begin(now);
      this.#seek('merge', now);
    }
    if (this.#search.begin(now) || changed) this.#fill(now);
  }

  #link(peer: string, chosen: boolean, now: number): void {
    this.#views.forget(peer);
    this.#active.add(peer, chosen);
    this.#views.outputs.add({ type: 'neighbor-up', peer });
    this.#greetPassive(now);
  }

  /**
   * Called after a link was added. If the view is full again after at least as many losses as it
   * has links, greets all passive peers, at most once in a `denyWindow`: after many simultaneous
   * failures, some of them may have no neighbors left, and may be known only to this node.
   */
  #greetPassive(now: number): void {
    const { active, denyWindow } = this.#config;
    if (this.#active.size !== active || now < this.#greetedAt + denyWindow) return;
    const { losses, passive } = this.#views;
    if ([...losses.keys()].filter((peer) => this.#views.isLost(peer, now)).length < active) return;
    this.#greetedAt = now;
    for (const peer of passive) if (!this.#requests.has(peer)) this.#shuffles.greet(peer);
  }

  /** Makes room for a link. Returns the evicted peer, which is told that `free` may have room. */
  #evict(free: string | undefined, now: number): string | undefined {
    const victim = this.#active.victim();
    if (victim !== undefined) this.#drop(victim, 'evicted', free, now);
    return victim;
  }

  #drop(peer: string, cause: 'evicted' | 'closed', free: string | undefined, now: number): void {
    this.#active.delete(peer);
    this.#views.remember([peer], now);
    this.#disconnect(peer, cause === 'evicted', this.#views.some(peer), free);
    this.#down(peer, cause);
  }

  /**
   * Informs a peer that this node is not its neighbor: the peer assumes a link that doesn't exist,
   * or asks a node that is leaving. A peer that is being asked for a link learns this from that
   * request.
   */
  #tellStranger(peer: string): void {
    if (this.#active.has(peer) || this.#requests.isWaiting(peer)) return;
    this.#disconnect(peer, !this.#isLeaving, []);
  }

  #disconnect(to: string, alive: boolean, peers: readonly string[], free?: string): void {
    this.#views.send(to, { type: 'disconnect', alive, free, peers });
  }

  #down(peer: string, cause: DownCause, error?: TransportError): void {
    this.#views.outputs.add({ type: 'neighbor-down', peer, cause, error });
  }

  // Requests for links, while the view is short: it has too few links to trusted peers.

  /**
   * Asks a node for each place that is free or taken by a distrusted peer, which only a trusted one
   * replaces. A member asks passive peers first, then contacts; for links of its own choice it
   * prefers contacts, see `Views.drawsContact`. A newcomer prefers contacts for all links. A member
   * without links asks two nodes with high priority, a newcomer without links asks one (`join`).
   * Nobody is asked twice in a round of `Search`.
   */
  #fill(now: number): void {
    const [views, search, active, config] = [this.#views, this.#search, this.#active, this.#config];
    if (this.#isLeaving || now < this.#waitsUntil) return;
    const isMember = this.#phase === 'member';
    const spare = config.active - active.size;
    const wanted = spare + active.distrusted;
    for (let open = this.#requests.filling; open < wanted; open++) {
      const isAlone = active.size === 0;
      if (isAlone && open >= (isMember ? 2 : 1)) return;
      const isFew = 2 * active.size <= config.active;
      if (!isFew && search.refusals >= LEISURELY) return;
      // Contacts are preferred for the first links of this node's own choice, and for all links
      // while many nodes request links, because the passive view holds only nodes that others
      // named.
      const isOwn = isMember && (active.chosen < config.own || this.#favors.isScarce(now));
      const { peer, isPassive } = views.candidate(
        !isMember || (isOwn && views.drawsContact()),
        (other) => this.#mayAsk(other, now) && (open < spare || !views.isDistrusted(other)),
      );
      this.#lacksPeers = peer === undefined;
      if (peer === undefined) return;
      search.exclude(peer);
      // The view is small and a whole round has not changed that: it may be part of an island.
      const isStuck = isFew && search.failures > 0 && open === 0;
      // A member that has lost all links joins again if it is a contact that it asks.
      const purpose = isAlone && (!isPassive || !isMember) ? 'join' : 'fill';
      this.#ask(peer, purpose, isAlone || isStuck, now);
    }
    this.#lacksPeers = false;
  }

  /**
   * Follows the suggestions of a node that refused or ended a link. The peer that has room is asked
   * first. A node that evicts a neighbor knows such a peer, so views stay full without searches
   * through the overlay.
   */
  #follow({ free, peers }: Suggestions, now: number): void {
    this.#views.note(peers, now);
    const hasRoom = this.#active.size + this.#requests.filling < this.#config.active;
    if (free !== undefined && this.#phase === 'member' && hasRoom && this.#mayAsk(free, now)) {
      this.#search.exclude(free);
      this.#ask(free, 'suggested', this.#active.size === 0, now);
    }
    this.#fill(now);
  }

  /**
   * Asks a trusted node outside both views for a link, or a passive peer if no such node is known
   * or drawn (see `Views.outsider`). After a network has split, both parts may have full views.
   * Only a link to a node outside the views can join the parts again. Unlike `#fill`, it asks
   * whether or not there is room and whether or not the round has asked the node.
   */
  #seek(purpose: 'merge' | 'replace', now: number): void {
    const isFit = (id: string) =>
      !this.#requests.isWaiting(id) && this.#mayLink(id, now) && !this.#views.isDistrusted(id);
    const peer = this.#views.outsider(isFit);
    if (peer !== undefined) this.#ask(peer, purpose, true, now);
  }

  #ask(peer: string, purpose: Purpose, high: boolean, now: number): void {
    const request = this.#requests.open(peer, purpose, now);
    const full = this.#active.size >= this.#config.active;
    if (purpose === 'join') this.#views.send(peer, { type: 'join', request });
    else this.#views.send(peer, { type: 'neighbor', request, high, full });
  }

  #mayAsk(peer: string, now: number): boolean {
    return this.#search.mayAsk(peer) && !this.#requests.has(peer) && this.#mayLink(peer, now);
  }

  #mayLink(peer: string, now: number): boolean {
    return !this.#active.has(peer) && !this.#views.isLost(peer, now);
  }
}

/**
 * Number of refusals after which a view that is more than half full asks nobody until the next
 * round, because it does not urgently need links.
 */
const LEISURELY = 8;
