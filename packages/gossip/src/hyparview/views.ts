// All peers that a node knows: neighbors, passive peers, peers lost recently, and contacts known
// from elsewhere; the messages to them; and the shuffles that keep the passive peers fresh. One
// PartialView owns them, and only it and `Shuffles` change them. Tested through it in
// partial-view.test.ts, partial-view.full-view.test.ts, known-nodes.test.ts and recovery.test.ts.

import { dropOldest, OutputQueue, RateLimit, sample } from '@trunkline/peers/internal';
import type { Random } from '@trunkline/transport-core';
import {
  isPeerId,
  type MessageOf,
  type PartialViewMessage,
  type PartialViewOutput,
  type PartialViewSetup,
} from './message.ts';
import type { PartialViewConfig } from './options.ts';

/**
 * The peers that a node knows, in several lists. A peer is either active or passive or `isLost`, or
 * none of these, and the node itself is on no list. `remember` ensures this for passive peers.
 * Callers that add to `active` or `losses` remove the peer from the other lists. A contact may be
 * on any other list. All parts of a partial view share this object.
 */
export class Views {
  /** The id of this node. */
  readonly self: string;
  readonly config: PartialViewConfig;
  readonly random: Random;
  readonly isDistrusted: (peer: string) => boolean;
  readonly outputs = new OutputQueue<PartialViewOutput>();
  readonly active: ActiveView = new ActiveView(this);
  /** The peers remembered to replace lost links. */
  readonly passive: string[] = [];
  /**
   * Peers that were lost recently, the oldest first → the time until which they return to the views
   * only if they ask for a link themselves, not if others name them. Entries stay when their time
   * is over, so ask `isLost`.
   */
  readonly losses = new Map<string, number>();
  /**
   * The contacts in use, which only `know` changes: nodes known from outside the overlay, from the
   * inputs `join` and `found`. They are at most `config.contacts`, the newest last.
   *
   * Once this node has chosen many contacts, only the chosen contacts are used, so an attacker
   * can't become a contact by connecting, no matter how often. A node that chose few, such as a
   * bootstrap node, uses all contacts alike.
   */
  contacts: readonly string[] = [];
  /** All contacts, the oldest first: at most `config.contacts` chosen ones, and as many others. */
  #chosen: readonly string[] = [];
  #others: readonly string[] = [];

  constructor({ self, config, random, isDistrusted }: PartialViewSetup) {
    this.self = self;
    this.config = config;
    this.random = random;
    this.isDistrusted = isDistrusted;
  }

  send(to: string, message: PartialViewMessage): void {
    this.outputs.add({ type: 'send-view', to, message });
  }

  /**
   * Adds peers to the passive view, except neighbors, peers that are lost, and this node. If it is
   * full, each replaces one of the peers that this node sent in the same shuffle (`told`, as in the
   * paper), or a random one.
   */
  remember(peers: readonly string[], now: number, told: readonly string[] = []): void {
    const { passive, config } = this;
    for (const peer of peers) {
      if (peer === this.self || this.active.has(peer) || this.isLost(peer, now)) continue;
      if (passive.includes(peer)) continue;
      const known = told.find((other) => passive.includes(other));
      if (passive.length < config.passive) passive.push(peer);
      else if (known !== undefined) passive[passive.indexOf(known)] = peer;
      else passive[Math.floor(this.random() * passive.length)] = peer;
    }
  }

  /**
   * Adds peers while there is room. Peers that are merely named by a node that refuses or ends a
   * link don't replace others.
   */
  note(peers: readonly string[], now: number): void {
    for (const peer of peers)
      if (this.passive.length < this.config.passive) this.remember([peer], now);
  }

  /** Removes a peer from the passive view, in which the last peer takes its place. */
  forget(peer: string): void {
    const { passive } = this;
    const index = passive.indexOf(peer);
    if (index < 0) return;
    const last = passive.pop()!;
    if (index < passive.length) passive[index] = last;
  }

  /**
   * Records that a peer was lost; the caller removes it from the views. At most 64 losses are
   * remembered; beyond that the oldest is forgotten.
   */
  lost(peer: string, now: number): void {
    this.losses.delete(peer);
    this.losses.set(peer, now + this.config.denyWindow);
    dropOldest(this.losses, MOST_LOSSES);
  }

  /** Returns true if the peer was lost within `denyWindow`. */
  isLost(peer: string, now: number): boolean {
    return (this.losses.get(peer) ?? now) > now;
  }

  /**
   * Returns peers that `to` may ask for a link: passive ones, then neighbors.
   * @param count the maximum number; default: as many as in a shuffle
   */
  some(to: string, count = this.config.shuffleActive + this.config.shufflePassive): string[] {
    const some = sample(this.passive, count, this.random);
    if (some.length < count)
      some.push(...sample(this.active.peers(), count - some.length, this.random));
    return some.filter((peer) => peer !== to);
  }

  /** Returns a random neighbor for the next hop of a walk from `from` that is about `about`. */
  nextHop(from: string, about: string): string | undefined {
    return pick(this.active.peers(), this.random, (peer) => peer !== from && peer !== about);
  }

  /**
   * Adds contacts; the newest ones are kept (of one list, the first). A chosen contact stays
   * chosen, and another becomes chosen if this node chooses it later. Returns true if at least one
   * of them is in no view and was not a contact before.
   * @param isChosen true if this node chose them, false if they connected by themselves or others
   * named them
   */
  know(contacts: readonly string[], isChosen: boolean): boolean {
    const most = this.config.contacts;
    const nodes = contacts.filter((peer) => isPeerId(peer) && peer !== this.self);
    const known = [this.#chosen, this.#others, this.passive, this.active.peers()];
    const isNews = nodes.some((peer) => !known.some((list) => list.includes(peer)));
    const fresh = new Set(nodes.slice(0, most));
    const left = (list: readonly string[]) => list.filter((peer) => !fresh.has(peer));
    const newest = (...lists: (readonly string[])[]) => lists.flat().slice(-most);
    if (isChosen) {
      this.#chosen = newest(left(this.#chosen), [...fresh]);
      this.#others = left(this.#others);
    } else {
      const strangers = [...fresh].filter((peer) => !this.#chosen.includes(peer));
      this.#others = newest(left(this.#others), strangers);
    }
    this.contacts = this.#chosen.length >= MANY ? this.#chosen : newest(this.#others, this.#chosen);
    return isNews;
  }

  /**
   * Returns a peer that fits, for a free place: a passive peer, or a contact if one is wanted or
   * nobody else is left. Distrusted peers come last.
   */
  candidate(wantsContact: boolean, isFit: (peer: string) => boolean) {
    const { contacts, passive, random } = this;
    for (const fits of [(peer: string) => isFit(peer) && !this.isDistrusted(peer), isFit]) {
      const contact = wantsContact ? pick(contacts, random, fits) : undefined;
      const remembered = contact === undefined ? pick(passive, random, fits) : undefined;
      const peer = contact ?? remembered ?? pick(contacts, random, fits);
      if (peer !== undefined) return { peer, isPassive: remembered !== undefined };
    }
    return { peer: undefined, isPassive: false };
  }

  /**
   * Returns a peer that fits (`isFit` must exclude neighbors), preferably a contact that is not
   * passive. With few contacts, such as a single bootstrap node, this prefers passive peers most of
   * the time, because these few contacts could not serve every node.
   */
  outsider(isFit: (peer: string) => boolean): string | undefined {
    const { contacts, passive, random } = this;
    const outside = pick(contacts, random, (peer) => isFit(peer) && !passive.includes(peer));
    return (this.drawsContact() ? outside : undefined) ?? pick(passive, random, isFit) ?? outside;
  }

  /**
   * Returns true if there are many contacts. Otherwise the result is random: it is true with the
   * probability that a draw from contacts and passive peers together yields a contact.
   */
  drawsContact(): boolean {
    const { length } = this.contacts;
    return length >= MANY || this.random() * (length + this.passive.length) < length;
  }
}

/**
 * Number of contacts that is large enough to spread requests. With only a few contacts, such as
 * bootstrap nodes, many nodes would send their requests to the same contact.
 */
const MANY = 8;
const MOST_LOSSES = 64;

// The links of a node. They are few and symmetric, and some of them are of the node's own choice.

export interface OverlayLink {
  readonly peer: string;
  /**
   * True if this node asked for the link of its own accord (`isOwnChoice`), or the peer asked and
   * is a contact while fewer than `own` links are chosen. False if the peer asked otherwise, was
   * introduced, or was suggested by another.
   */
  readonly chosen: boolean;
  /** True if the peer has passed messages on. */
  gave: boolean;
  /** The number of the turn in which this node last began a shuffle over this link. */
  turn: number;
  /** Rate limits of the shuffles and introductions that arrive over this link. */
  readonly shuffles: RateLimit;
  readonly introductions: RateLimit;
}

export class ActiveView extends Map<string, OverlayLink> {
  readonly #views: Pick<Views, 'config' | 'isDistrusted'>;
  #turn = 0;

  constructor(views: Pick<Views, 'config' | 'isDistrusted'>) {
    super();
    this.#views = views;
  }

  peers(): string[] {
    return [...this.keys()];
  }

  /** Number of links to distrusted peers. */
  get distrusted(): number {
    return this.peers().filter((peer) => this.#views.isDistrusted(peer)).length;
  }

  /** Number of links of this node's own choice. */
  get chosen(): number {
    return [...this.values()].filter(({ chosen }) => chosen).length;
  }

  /** Adds a link. The caller has made room for it. */
  add(peer: string, chosen: boolean): void {
    this.set(peer, {
      peer,
      chosen,
      gave: false,
      turn: this.#turn,
      shuffles: new RateLimit(SHUFFLES, this.#views.config.shuffleInterval / SHUFFLES),
      introductions: new RateLimit(INTRODUCTIONS, INTRODUCTION_INTERVAL),
    });
  }

  /**
   * Returns the peer with which this node has not begun a shuffle for the longest time, and starts
   * its turn. In this way each link is used regularly, and both ends know that it works.
   */
  next(): string | undefined {
    let next: OverlayLink | undefined;
    for (const link of this.values()) if (next === undefined || link.turn < next.turn) next = link;
    if (next !== undefined) next.turn = ++this.#turn;
    return next?.peer;
  }

  /**
   * Returns the peer to evict if a link must be given up. Links are chosen in the following order
   * of preference; among several of a kind, the link added last is chosen:
   * - a link to a distrusted peer
   * - a link that this node did not choose and that has passed nothing on
   * - if this node chose more than `own` links: any link that has passed nothing on
   * - a link that this node did not choose
   * - any link
   *
   * So during a flood of requests each new link replaces the previous new link, and all older links
   * stay.
   */
  victim(): string | undefined {
    const links = [...this.values()];
    const last = (isFit: (link: OverlayLink) => boolean) => links.findLast(isFit);
    const useless =
      last(({ peer }) => this.#views.isDistrusted(peer)) ??
      last(({ chosen, gave }) => !chosen && !gave) ??
      (this.chosen > this.#views.config.own ? last(({ gave }) => !gave) : undefined);
    return (useless ?? last(({ chosen }) => !chosen) ?? links.at(-1))?.peer;
  }
}

/**
 * Number of shuffles that a link may bring at once, and again as many in each interval. The average
 * per interval is walk ÷ active = 1.2; more than 12 arrive only in one of 10^9 intervals (if they
 * are independent, so that their number has a Poisson distribution).
 */
const SHUFFLES = 12;
/**
 * Number of introductions that a link may bring at once, and milliseconds until one more is
 * accepted. A bootstrap node sends an introduction for each newcomer, which usually takes a favor.
 * By default, there are at most 20 favors at once, and two more every 10 seconds; see `#favors` of
 * PartialView.
 */
const INTRODUCTIONS = 20;
const INTRODUCTION_INTERVAL = 500;

// Shuffles keep the passive views fresh: two nodes at the ends of a random walk send each other
// some of their peers.

export class Shuffles {
  /** Time at which the next shuffle begins. */
  due: number;
  readonly #views: Views;
  /** Rate limit of other nodes' shuffles that change the passive view. */
  readonly #exchanges: RateLimit;
  /** The shuffle under way: its number, and the peers that were sent. The next one replaces it. */
  #current: { readonly id: number; readonly told: readonly string[] } | undefined;
  #next: number;

  constructor(views: Views, now: number) {
    const { random, config } = views;
    this.#views = views;
    this.#exchanges = new RateLimit(EXCHANGES, config.shuffleInterval / EXCHANGES);
    // A random start, because only the number distinguishes a reply from a made-up one.
    this.#next = Math.floor(random() * 0x4000_0000);
    this.due = now + random() * config.shuffleInterval;
  }

  /** Begins a shuffle if one is due. Returns true if one was due. */
  begin(now: number): boolean {
    if (now < this.due) return false;
    const views = this.#views;
    const { self: origin, random, config } = views;
    this.due = now + jittered(config.shuffleInterval, random);
    const target = views.active.next();
    if (target === undefined) return true;
    const others = views.active.peers().filter((peer) => peer !== target);
    const told = [
      ...sample(others, config.shuffleActive, random),
      ...sample(views.passive, config.shufflePassive, random),
    ];
    const id = this.#next++;
    this.#current = { id, told };
    views.send(target, { type: 'shuffle', origin, id, ttl: config.shuffleWalk, peers: told });
    return true;
  }

  /**
   * Informs a passive peer that this node exists. If the peer's view is short, it remembers this
   * node and may ask it for a link. If the peer is gone, it will be reported as lost.
   */
  greet(peer: string): void {
    const { self: origin } = this.#views;
    this.#views.send(peer, { type: 'shuffle', origin, id: this.#next++, ttl: 1, peers: [] });
  }

  /**
   * Handles a walk that arrived over a link: passes it on, or ends it here and answers its origin.
   * The answer names one peer more than the walk, which makes known its origin, too.
   */
  received(link: OverlayLink, { origin, id, ttl, peers }: MessageOf<'shuffle'>, now: number): void {
    if (!link.shuffles.tryTake(now)) return;
    const views = this.#views;
    const next = ttl > 1 ? views.nextHop(link.peer, origin) : undefined;
    if (next !== undefined)
      return views.send(next, { type: 'shuffle', origin, id, ttl: ttl - 1, peers });
    if (!this.#exchanges.tryTake(now)) return;
    const told = views.some(origin, peers.length + 1);
    views.send(origin, { type: 'shuffle-reply', id, peers: told });
    views.remember([origin, ...peers], now, told);
  }

  /** Handles a reply. Returns true if it answers the shuffle under way. */
  replied({ id, peers }: MessageOf<'shuffle-reply'>, now: number): boolean {
    if (this.#current?.id !== id) return false;
    this.#views.remember(peers, now, this.#current.told);
    this.#current = undefined;
    return true;
  }
}

/**
 * Number of shuffles that may change the passive view at once, and again as many in each interval.
 * On average, 1 shuffle ends here per interval; more than 8 arrive only in one of 10^6 intervals.
 */
const EXCHANGES = 8;

// Random selection from short lists.

/**
 * Returns one of the items that fit, chosen at random with equal probability; undefined if none
 * fits.
 */
export function pick<T>(list: readonly T[], random: Random, isFit: (item: T) => boolean) {
  const fit = list.filter((item) => isFit(item));
  return fit.length === 0 ? undefined : fit[Math.floor(random() * fit.length)];
}

/** Returns `interval` ± 10 %. */
export function jittered(interval: number, random: Random): number {
  return interval * (0.9 + 0.2 * random());
}
