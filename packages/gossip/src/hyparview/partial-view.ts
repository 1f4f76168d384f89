// HyParView (Leitão, Pereira, Rodrigues, DSN 2007): each of thousands of nodes keeps a few
// symmetric links, and remembers some peers to replace lost ones.

import type { Random, TransportError } from '@trunkline/transport-core';
import type { ActiveView } from './active-view.ts';
import type { Contacts } from './contacts.ts';
import { FavorLimiter } from './favor-limiter.ts';
import type { PartialViewHost, PartialViewSetup } from './host.ts';
import { Inputs } from './inputs.ts';
import { Merges } from './merges.ts';
import { isPeerId, type MessageOf, type PartialViewMessage, tidyMessage } from './message.ts';
import { type PartialViewConfig, partialViewConfig } from './options.ts';
import type { PassiveView } from './passive-view.ts';
import type { RecentLosses } from './recent-losses.ts';
import { isFilling, isOwnChoice, mayEvict, type Purpose, Requests } from './requests.ts';
import { Rescue } from './rescue.ts';
import { Search } from './search.ts';
import { Shuffles } from './shuffles.ts';
import { Views } from './views.ts';

/**
 * One node's view of one topic. It accepts links from the start; `join` and `known` tell it which
 * nodes to ask for links. Read `due` after each input.
 */
export class PartialView {
  readonly #self: string;
  readonly #random: Random;
  readonly #host: PartialViewHost;
  readonly #config: PartialViewConfig;
  readonly #views: Views;
  readonly #active: ActiveView;
  readonly #passive: PassiveView;
  readonly #losses: RecentLosses;
  readonly #contacts: Contacts;
  readonly #requests: Requests;
  readonly #search: Search;
  readonly #favorLimiter: FavorLimiter;
  readonly #shuffles: Shuffles;
  readonly #merges: Merges;
  readonly #rescue: Rescue;
  readonly #inputs = new Inputs((now) =>
    this.#search.isShort(!this.#isLeaving && this.#active.size < this.#config.active, now),
  );
  #isLeaving = false;
  /** True if a peer has accepted this node since it joined. */
  #isIntroduced = false;
  /** Until then, a newcomer waits for requests from the nodes that it was introduced to. */
  #settledAt = Number.NEGATIVE_INFINITY;
  #isHungry = false;
  /** The peer that was last refused a link. */
  #refused: string | undefined;

  /** Throws a TypeError for invalid options. */
  constructor({ self, random, now, host, options = {} }: PartialViewSetup) {
    const config = partialViewConfig(options);
    this.#self = self;
    this.#random = random;
    this.#host = host;
    this.#config = config;
    this.#views = new Views(self, config, random);
    ({
      active: this.#active,
      passive: this.#passive,
      losses: this.#losses,
      contacts: this.#contacts,
    } = this.#views);
    this.#requests = new Requests(config.neighborTimeout, random);
    this.#search = new Search(config.passive + config.contacts, config.shuffleInterval, random);
    this.#favorLimiter = new FavorLimiter(config, (peer) => this.#contacts.has(peer), now);
    this.#shuffles = new Shuffles({ self, random, now, host, config, views: this.#views });
    this.#merges = new Merges(config.mergeInterval, random, now);
    this.#rescue = new Rescue({
      config,
      views: this.#views,
      requests: this.#requests,
      shuffles: this.#shuffles,
    });
  }

  /**
   * Enters the overlay through the first contact that answers; contacts are asked one after the
   * other. Also works after `leave`.
   */
  join(contacts: readonly string[], now: number): void {
    this.#inputs.take(() => {
      this.#isLeaving = false;
      this.#isIntroduced = this.#active.size > 0;
      this.#search.restart();
      this.#views.know(contacts, true);
      this.#fill(now);
    }, now);
  }

  /**
   * Adds nodes on this topic, found by the address book or by discovery. They are asked for links
   * if the views don't help, and to merge partitions.
   * @param isChosen false if this node did not choose them, see `Contacts`
   */
  known(nodes: readonly string[], now: number, isChosen = true): void {
    this.#inputs.take(() => {
      if (this.#views.know(nodes, isChosen)) this.#merges.isNeeded(now);
      this.#fill(now);
    }, now);
  }

  /** Processes a message from a node. Malformed messages are ignored. */
  received(from: string, message: PartialViewMessage, now: number): void {
    this.#inputs.take(() => this.#receive(from, message, now), now);
  }

  /**
   * The link to a node failed, or sending to it did. A passive peer is forgotten, so don't report
   * the orderly end of a connection that was merely idle.
   */
  lost(peer: string, error: TransportError | undefined, now: number): void {
    this.#inputs.take(() => this.#lose(peer, error, now), now);
  }

  /** Tells a node that it is not a neighbor, after it sent something that only neighbors send. */
  stranger(peer: string, now: number): void {
    this.#inputs.take(() => this.#tellStranger(peer), now);
  }

  /**
   * Drops a useless neighbor. Its place goes to a node that this node chooses itself, no matter
   * which nodes ask for it. For `denyWindow` the dropped peer returns to no view unless it asks
   * itself.
   */
  dismiss(peer: string, now: number): void {
    this.#inputs.take(() => {
      if (!this.#active.has(peer)) return;
      this.#losses.add(peer, now);
      this.#drop(peer, 'evicted', undefined, now);
      this.#seek('replace', now);
      this.#fill(now);
    }, now);
  }

  /** Asks one node outside both views for a link, because the neighbors may all be useless. */
  seek(now: number): void {
    if (this.#merges.isOn && !this.#isLeaving)
      this.#inputs.take(() => this.#seek('merge', now), now);
  }

  /**
   * Marks a neighbor that passes messages on: when links must go, it is kept rather than those that
   * don't.
   */
  gave(peer: string): void {
    const link = this.#active.get(peer);
    if (link !== undefined) link.gave = true;
  }

  /** Leaves the overlay: gives the neighbors peers to turn to, and accepts no more links. */
  leave(now: number): void {
    this.#inputs.take(() => {
      this.#isLeaving = true;
      this.#requests.clear();
      for (const peer of this.#active.peers()) this.#drop(peer, 'closed', undefined, now);
    }, now);
  }

  /** Does what is due. It may be called early or late. */
  wake(now: number): void {
    this.#inputs.take(() => this.#wake(now), now);
  }

  /** When to call `wake`; Infinity if never. */
  get due(): number {
    return this.#isLeaving
      ? Number.POSITIVE_INFINITY
      : Math.min(this.#requests.due, this.#shuffles.due, this.#merges.due, this.#search.due);
  }

  /** The neighbors. */
  active(): string[] {
    return this.#active.peers();
  }

  passive(): string[] {
    return this.#passive.peers();
  }

  isNeighbor(peer: string): boolean {
    return this.#active.has(peer);
  }

  /**
   * True if others chose all links, or if many nodes request links while at most `own` links are of
   * this node's choice: then all links may belong to one attacker.
   */
  isPressed(now: number): boolean {
    const { chosen, size } = this.#active;
    return (
      (chosen <= this.#config.own && this.#favorLimiter.isScarce(now)) || (chosen === 0 && size > 0)
    );
  }

  /** True if the view is short and nobody is left to ask, so more `known` nodes would help. */
  get isHungry(): boolean {
    return this.#isHungry && !this.#isLeaving && this.#active.size < this.#config.active;
  }

  #receive(from: string, given: PartialViewMessage, now: number): void {
    const { joinWalk, shuffleWalk, shuffleActive, shufflePassive } = this.#config;
    const message = tidyMessage(given, {
      self: this.#self,
      joinWalk,
      shuffleWalk,
      peers: shuffleActive + shufflePassive + 1,
    });
    if (message === undefined || from === this.#self || !isPeerId(from)) return;
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
   * Handles a request for a link. A newcomer, and a node without any other link, is accepted even
   * if another link must be evicted for it, but only at a limited rate.
   */
  #onAsked(from: string, asked: MessageOf<'join' | 'neighbor'>, now: number): void {
    const { request } = asked;
    if (this.#isLeaving) return this.#tellStranger(from);
    this.#losses.delete(from);
    const isNewcomer = asked.type === 'join';
    const isHigh = isNewcomer || asked.high;
    if (this.#active.has(from)) {
      // Its answer was lost, or it has forgotten the link: after a restart it must be introduced
      // again.
      this.#host.send(from, { type: 'accept', request, free: undefined });
      if (isNewcomer && this.#favorLimiter.take(from, now)) this.#introduce(from);
      return;
    }
    const purpose = this.#requests.purposeOf(from);
    const isFull = this.#active.size >= this.#config.active;
    const isWelcome =
      isNewcomer || (isHigh && isFull) ? this.#favorLimiter.take(from, now) : !isFull;
    if (!isWelcome) {
      // The node refused last usually still has room, so two nodes that search find each other.
      const free = this.#refused === from ? undefined : this.#refused;
      if (!isNewcomer && !asked.full) this.#refused = from;
      this.#host.send(from, { type: 'refuse', request, free, peers: this.#views.some(from) });
      return;
    }
    this.#requests.delete(from);
    const hasRoom = isNewcomer || !asked.full;
    const evicted = isFull ? this.#evict(hasRoom ? from : undefined, now) : undefined;
    // While few links are of its own choice, a known node that asks counts like one that was asked.
    const isLikeOwn = this.#active.chosen < this.#config.own && this.#contacts.has(from);
    this.#link(from, isLikeOwn || (purpose !== undefined && isOwnChoice(purpose)), now);
    this.#host.send(from, { type: 'accept', request, free: evicted });
    if (isNewcomer) this.#introduce(from);
  }

  #introduce(newcomer: string): void {
    for (const peer of this.#active.peers()) {
      if (peer !== newcomer)
        this.#host.send(peer, { type: 'forward-join', peer: newcomer, ttl: this.#config.joinWalk });
    }
  }

  #onAccept(from: string, { request, free }: MessageOf<'accept'>, now: number): void {
    const purpose = this.#requests.answered(from, request);
    if (this.#active.has(from)) return;
    if (purpose === undefined || this.#isLeaving) return this.#tellStranger(from);
    if (this.#active.size >= this.#config.active) {
      if (!mayEvict(purpose) && !(isOwnChoice(purpose) && this.#active.chosen < this.#config.own)) {
        this.#host.send(from, {
          type: 'disconnect',
          alive: true,
          free: undefined,
          peers: this.#views.some(from),
        });
        return this.#views.remember([from], [], now);
      }
      // A newcomer has room for the peer evicted for it. In a merge, the two evicted peers have
      // room for each other.
      this.#evict(purpose === 'introduced' ? from : free, now);
    }
    if (purpose === 'merge') this.#merges.succeeded(now);
    if (purpose === 'join') this.#settledAt = now + this.#config.neighborTimeout;
    this.#isIntroduced = true;
    this.#link(from, isOwnChoice(purpose), now);
    this.#fill(now);
  }

  #onRefuse(from: string, { request, free, peers }: MessageOf<'refuse'>, now: number): void {
    const purpose = this.#requests.answered(from, request);
    if (purpose === undefined || !isFilling(purpose)) return;
    this.#search.refused();
    this.#views.remember([from], [], now);
    this.#views.note(peers, now);
    this.#turnTo(free, now);
    this.#fill(now);
  }

  #onForwardJoin(
    from: string,
    { peer: newcomer, ttl }: MessageOf<'forward-join'>,
    now: number,
  ): void {
    const link = this.#active.get(from);
    if (link === undefined) return this.#tellStranger(from);
    if (!link.introductions.take(now) || newcomer === from || this.#active.has(newcomer)) return;
    if (ttl > 0 && this.#active.size > 1) {
      if (ttl === this.#config.passiveWalk) this.#views.remember([newcomer], [], now);
      const next = this.#active.random(this.#random, (peer) => peer !== from && peer !== newcomer);
      if (next !== undefined)
        return this.#host.send(next, { type: 'forward-join', peer: newcomer, ttl: ttl - 1 });
    }
    // The newcomer is asked before it is added, because it may not be reachable from here.
    if (this.#requests.isWaiting(newcomer) || this.#losses.has(newcomer, now)) return;
    const mayFit = this.#active.size + this.#requests.waiting < this.#config.active;
    if (mayFit || this.#favorLimiter.take(newcomer, now))
      this.#ask(newcomer, 'introduced', false, now);
    else this.#views.remember([newcomer], [], now);
  }

  #onShuffle(from: string, shuffle: MessageOf<'shuffle'>, now: number): void {
    const link = this.#active.get(from);
    if (link !== undefined) this.#shuffles.received(link, shuffle, now);
    // A greeting: the sender is alive and knows this node.
    else if (this.#active.size < this.#config.active && !this.#isLeaving)
      this.#views.remember([from], [], now);
    this.#fill(now);
    if (link === undefined) this.#tellStranger(from);
  }

  #onDisconnect(from: string, { alive, free, peers }: MessageOf<'disconnect'>, now: number): void {
    const wasAsked = this.#requests.delete(from);
    if (this.#active.remove(from)) this.#host.down(from, alive ? 'disconnected' : 'left');
    else if (!wasAsked) return;
    if (alive) {
      this.#search.asked(from);
      this.#views.remember([from], [], now);
    } else {
      this.#losses.add(from, now);
      this.#passive.remove(from);
    }
    this.#views.note(peers, now);
    this.#turnTo(free, now);
    this.#fill(now);
  }

  /**
   * Asks a peer that was suggested because it has room. A node that evicts a neighbor knows such a
   * peer, so views stay full without searches through the overlay.
   */
  #turnTo(peer: string | undefined, now: number): void {
    if (
      peer === undefined ||
      !this.#isIntroduced ||
      this.#active.size + this.#requests.filling >= this.#config.active ||
      !this.#mayAsk(peer, now)
    )
      return;
    this.#search.asked(peer);
    this.#ask(peer, 'suggested', this.#active.size === 0, now);
  }

  #lose(peer: string, error: TransportError | undefined, now: number): void {
    const wasAsked = this.#requests.delete(peer);
    const wasNeighbor = this.#active.remove(peer);
    if (wasAsked || wasNeighbor || this.#passive.has(peer)) this.#losses.add(peer, now);
    this.#passive.remove(peer);
    if (wasNeighbor) this.#merges.isNeeded(now);
    if (wasNeighbor) this.#host.down(peer, 'lost', error);
    this.#fill(now);
  }

  #wake(now: number): void {
    if (this.#isLeaving) return;
    const { changed, silent } = this.#requests.expire(now);
    for (const peer of silent) this.#passive.remove(peer);
    const isShuffle = this.#shuffles.begin(now);
    // If all links may belong to one attacker, a link of this node's own choice can't wait.
    if (now >= this.#merges.due || (isShuffle && this.#merges.isOn && this.isPressed(now))) {
      this.#merges.begin(now);
      this.#seek('merge', now);
    }
    if (this.#search.begin(now) || changed) this.#fill(now);
  }

  /**
   * Asks a node outside both views for a link, or a passive peer if few contacts are known (see
   * `Views.outsider`). After a network has split, both parts may have full views, and only such a
   * link joins them again.
   */
  #seek(purpose: 'merge' | 'replace', now: number): void {
    const isFit = (peer: string) =>
      !this.#active.has(peer) && !this.#requests.isWaiting(peer) && !this.#losses.has(peer, now);
    const peer = this.#views.outsider(isFit);
    if (peer !== undefined) this.#ask(peer, purpose, true, now);
  }

  /**
   * Asks a node for each free place: passive peers first, then contacts. A node without links asks
   * two with high priority. A newcomer asks one, preferably a contact, to be introduced.
   */
  #fill(now: number): void {
    if (this.#isLeaving || now < this.#settledAt) return;
    const { active } = this.#config;
    for (let asked = this.#requests.filling; this.#active.size + asked < active; asked++) {
      const isAlone = this.#active.size === 0;
      if (isAlone && asked >= (this.#isIntroduced ? 2 : 1)) return;
      const isFew = 2 * this.#active.size <= active;
      if (!isFew && this.#search.refusals >= LEISURELY) return;
      const isFit = (peer: string) => this.#mayAsk(peer, now);
      // The first links of this node's own choice are preferably requested from known nodes, and so
      // are all links while many nodes request one: the passive view holds only what others tell.
      const isOwn =
        this.#isIntroduced &&
        (this.#active.chosen < this.#config.own || this.#favorLimiter.isScarce(now));
      const { peer, isPassive } = this.#views.candidate(
        !this.#isIntroduced || (isOwn && this.#views.drawsContact()),
        isFit,
      );
      this.#isHungry = peer === undefined;
      if (peer === undefined) return;
      this.#search.asked(peer);
      // The view is small and nobody has room for this node: it may be part of an island.
      const isStuck = isFew && this.#search.failures > 0 && asked === 0;
      this.#ask(
        peer,
        isAlone && (!isPassive || !this.#isIntroduced) ? 'join' : 'fill',
        isAlone || isStuck,
        now,
      );
    }
    this.#isHungry = false;
  }

  #mayAsk(peer: string, now: number): boolean {
    return (
      this.#search.mayAsk(peer) &&
      !this.#active.has(peer) &&
      !this.#requests.has(peer) &&
      !this.#losses.has(peer, now)
    );
  }

  #ask(peer: string, purpose: Purpose, high: boolean, now: number): void {
    const request = this.#requests.add(peer, purpose, now);
    this.#host.send(
      peer,
      purpose === 'join'
        ? { type: 'join', request }
        : { type: 'neighbor', request, high, full: this.#active.size >= this.#config.active },
    );
  }

  #link(peer: string, chosen: boolean, now: number): void {
    this.#passive.remove(peer);
    this.#active.add(peer, chosen, now);
    this.#host.up(peer);
    this.#rescue.linked(now);
  }

  /** Makes room for a link. Returns the evicted peer, which is told that `free` has room. */
  #evict(free: string | undefined, now: number): string | undefined {
    const victim = this.#active.victim();
    if (victim !== undefined) this.#drop(victim, 'evicted', free, now);
    return victim;
  }

  #drop(peer: string, cause: 'evicted' | 'closed', free: string | undefined, now: number): void {
    this.#active.remove(peer);
    this.#views.remember([peer], [], now);
    this.#host.send(peer, {
      type: 'disconnect',
      alive: cause === 'evicted',
      free,
      peers: this.#views.some(peer),
    });
    this.#host.down(peer, cause);
  }

  /**
   * Tells a peer that this node is not its neighbor: it believes in a link that doesn't exist, or
   * asks a node that is leaving. A peer that is being asked itself will learn from that request.
   */
  #tellStranger(peer: string): void {
    if (this.#active.has(peer) || this.#requests.isWaiting(peer)) return;
    this.#host.send(peer, {
      type: 'disconnect',
      alive: !this.#isLeaving,
      free: undefined,
      peers: [],
    });
  }
}

/**
 * After this many refusals, a view that is more than half full asks nobody until the next round: it
 * is short, but not in need.
 */
const LEISURELY = 8;
