// All peers that a node knows: neighbors, passive peers, peers lost recently, and contacts known
// from elsewhere; and the messages to them.

import { dropOldest, OutputQueue, RateLimit, sample } from '@trunkline/peers/internal';
import type { Random } from '@trunkline/transport-core';
import {
  isPeerId,
  type MessageOf,
  type PartialViewMessage,
  type PartialViewOutput,
} from './message.ts';
import type { PartialViewConfig } from './options.ts';

/**
 * The peers that a node knows, in several lists. No peer is on two of the first three lists, and
 * the node itself is on none of them. `remember` ensures this for passive peers. Callers that
 * change `active` or `losses` remove the peer from the other lists. All parts of a partial view
 * share this object.
 */
export class Views {
  /** The id of this node. */
  readonly self: string;
  readonly config: PartialViewConfig;
  readonly random: Random;
  readonly outputs = new OutputQueue<PartialViewOutput>();
  readonly active: ActiveView;
  readonly passive: PassiveView;
  readonly losses: RecentLosses;
  readonly contacts: Contacts;
  readonly isDistrusted: (peer: string) => boolean;

  constructor(
    self: string,
    config: PartialViewConfig,
    random: Random,
    isDistrusted: (peer: string) => boolean,
  ) {
    this.self = self;
    this.config = config;
    this.random = random;
    this.isDistrusted = isDistrusted;
    this.active = new ActiveView(config, isDistrusted);
    this.passive = new PassiveView(config.passive, random);
    this.losses = new RecentLosses(config.denyWindow);
    this.contacts = new Contacts(config.contacts, random);
  }

  send(to: string, message: PartialViewMessage): void {
    this.outputs.add({ type: 'send', to, message });
  }

  /**
   * Adds peers to the passive view. If it is full, they replace the peers that this node sent in
   * the same shuffle (`told`).
   */
  remember(peers: readonly string[], told: readonly string[], now: number): void {
    for (const peer of peers) {
      if (peer !== this.self && !this.active.has(peer) && !this.losses.has(peer, now))
        this.passive.add(peer, told);
    }
  }

  /**
   * Adds peers while there is room. Peers that are merely named by a node that refuses or ends a
   * link don't replace others.
   */
  note(peers: readonly string[], now: number): void {
    for (const peer of peers) if (!this.passive.isFull) this.remember([peer], [], now);
  }

  /**
   * Returns peers that `to` may ask for a link: passive ones, then neighbors.
   * @param count the maximum number; default: as many as in a shuffle
   */
  some(to: string, count = this.config.shuffleActive + this.config.shufflePassive): string[] {
    const some = this.passive.sample(count);
    if (some.length < count)
      some.push(...sample(this.active.peers(), count - some.length, this.random));
    return some.filter((peer) => peer !== to);
  }

  /**
   * Adds contacts; see `Contacts.add`. Returns true if at least one of them is in no view and was
   * not a contact before.
   */
  know(contacts: readonly string[], isChosen: boolean): boolean {
    const others = contacts.filter((peer) => isPeerId(peer) && peer !== this.self);
    const isNews = others.some(
      (peer) => !this.contacts.remembers(peer) && !this.active.has(peer) && !this.passive.has(peer),
    );
    this.contacts.add(others, isChosen);
    return isNews;
  }

  /**
   * Returns a peer that fits, for a free place: a passive peer, or a contact if one is wanted or
   * nobody else is left. Distrusted peers come last.
   */
  candidate(
    wantsContact: boolean,
    isFit: (peer: string) => boolean,
  ): { readonly peer: string | undefined; readonly isPassive: boolean } {
    for (const fits of [(peer: string) => isFit(peer) && !this.isDistrusted(peer), isFit]) {
      const contact = wantsContact ? this.contacts.random(fits) : undefined;
      if (contact !== undefined) return { peer: contact, isPassive: false };
      const passive = this.passive.random(fits);
      const peer = passive ?? this.contacts.random(fits);
      if (peer !== undefined) return { peer, isPassive: passive !== undefined };
    }
    return { peer: undefined, isPassive: false };
  }

  /**
   * Returns a peer that fits (`isFit` must exclude neighbors), preferably a contact that is not
   * passive. With few contacts, such as a single bootstrap node, this prefers passive peers most of
   * the time, because these few contacts could not serve every node.
   */
  outsider(isFit: (peer: string) => boolean): string | undefined {
    const { contacts, passive } = this;
    const outside = contacts.random((peer) => isFit(peer) && !passive.has(peer));
    return (this.drawsContact() ? outside : undefined) ?? passive.random(isFit) ?? outside;
  }

  /**
   * Returns true if there are many contacts. Otherwise the result is random: it is true with the
   * probability that a draw from contacts and passive peers together yields a contact.
   */
  drawsContact(): boolean {
    const { size } = this.contacts;
    return size >= MANY || this.random() * (size + this.passive.size) < size;
  }
}

// The links of a node. They are few and symmetric, and some of them are of the node's own choice.

export interface OverlayLink {
  readonly peer: string;
  /**
   * True if this node asked for the link of its own accord, or knows the peer; false if the peer
   * asked for it or was introduced.
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

export class ActiveView {
  readonly #shuffleInterval: number;
  readonly #own: number;
  readonly #isDistrusted: (peer: string) => boolean;
  readonly #links: OverlayLink[] = [];
  #turn = 0;

  constructor(
    { shuffleInterval, own }: Pick<PartialViewConfig, 'shuffleInterval' | 'own'>,
    isDistrusted: (peer: string) => boolean,
  ) {
    this.#isDistrusted = isDistrusted;
    this.#shuffleInterval = shuffleInterval;
    this.#own = own;
  }

  get size(): number {
    return this.#links.length;
  }

  /** Number of links to distrusted peers. */
  get distrusted(): number {
    return this.#links.filter(({ peer }) => this.#isDistrusted(peer)).length;
  }

  /** Number of links of this node's own choice. */
  get chosen(): number {
    return this.#links.filter(({ chosen }) => chosen).length;
  }

  peers(): string[] {
    return this.#links.map(({ peer }) => peer);
  }

  has(peer: string): boolean {
    return this.get(peer) !== undefined;
  }

  get(peer: string): OverlayLink | undefined {
    for (const link of this.#links) if (link.peer === peer) return link;
    return undefined;
  }

  /** Adds a link. The caller has made room for it. */
  add(peer: string, chosen: boolean): void {
    this.#links.push({
      peer,
      chosen,
      gave: false,
      turn: this.#turn,
      shuffles: new RateLimit(SHUFFLES, this.#shuffleInterval / SHUFFLES),
      introductions: new RateLimit(INTRODUCTIONS, INTRODUCTION_INTERVAL),
    });
  }

  remove(peer: string): boolean {
    const index = this.#links.findIndex((link) => link.peer === peer);
    if (index >= 0) this.#links.splice(index, 1);
    return index >= 0;
  }

  /**
   * Returns the peer with which this node has not begun a shuffle for the longest time, and starts
   * its turn. In this way each link is used regularly, and both ends know that it works.
   */
  next(): string | undefined {
    let next: OverlayLink | undefined;
    for (const link of this.#links) if (next === undefined || link.turn < next.turn) next = link;
    if (next !== undefined) next.turn = ++this.#turn;
    return next?.peer;
  }

  /** Returns a random peer that fits, for the next hop of a walk. */
  random(random: Random, isFit: (peer: string) => boolean): string | undefined {
    return pick(this.#links, random, ({ peer }) => isFit(peer))?.peer;
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
    const last = (isFit: (link: OverlayLink) => boolean) => this.#links.findLast(isFit);
    const useless =
      last(({ peer }) => this.#isDistrusted(peer)) ??
      last(({ chosen, gave }) => !chosen && !gave) ??
      (this.chosen > this.#own ? last(({ gave }) => !gave) : undefined);
    return (useless ?? last(({ chosen }) => !chosen) ?? this.#links.at(-1))?.peer;
  }
}

/**
 * Maximum number of shuffles that a link may bring in one interval. The average is walk ÷ active =
 * 1.2; more than 12 arrive only in one of 10^9 intervals.
 */
const SHUFFLES = 12;
/**
 * Number of introductions that a link may bring at once, and milliseconds until one more is
 * accepted. A bootstrap node sends an introduction for each favor that it does. By default, these
 * are at most 20 at once, and two more every 10 seconds; see `LinkRequester`.
 */
const INTRODUCTIONS = 20;
const INTRODUCTION_INTERVAL = 500;

// The peers remembered to replace lost links.

export class PassiveView {
  readonly #capacity: number;
  readonly #random: Random;
  readonly #peers: string[] = [];

  constructor(capacity: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
  }

  get size(): number {
    return this.#peers.length;
  }

  peers(): string[] {
    return this.#peers.slice();
  }

  has(peer: string): boolean {
    return this.#peers.includes(peer);
  }

  /**
   * Adds a peer. If the view is full, the new peer replaces one of `known` (the peers sent to the
   * other end of a shuffle, as in the paper) or a random one.
   */
  add(peer: string, known: readonly string[]): void {
    if (this.has(peer)) return;
    if (this.#peers.length < this.#capacity) {
      this.#peers.push(peer);
      return;
    }
    let index = -1;
    for (let i = 0; index < 0 && i < known.length; i++) index = this.#peers.indexOf(known[i]!);
    if (index < 0) index = Math.floor(this.#random() * this.#peers.length);
    this.#peers[index] = peer;
  }

  get isFull(): boolean {
    return this.#peers.length >= this.#capacity;
  }

  remove(peer: string): void {
    const index = this.#peers.indexOf(peer);
    if (index < 0) return;
    const last = this.#peers.pop()!;
    if (index < this.#peers.length) this.#peers[index] = last;
  }

  sample(count: number): string[] {
    return sample(this.#peers, count, this.#random);
  }

  random(isFit: (peer: string) => boolean): string | undefined {
    return pick(this.#peers, this.#random, isFit);
  }
}

// Nodes known from outside the overlay: from the address book, from discovery and from `join`, and
// nodes that connected by themselves.

/**
 * Once this node has chosen many contacts, only the chosen contacts are used, so an attacker can't
 * become a contact by connecting, no matter how often. A node that chose few, such as a bootstrap
 * node, uses all contacts alike.
 */
class Contacts {
  readonly #capacity: number;
  readonly #random: Random;
  #chosen: readonly string[] = [];
  #others: readonly string[] = [];
  /** The contacts in use. */
  #peers: readonly string[] = [];

  constructor(capacity: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
  }

  get size(): number {
    return this.#peers.length;
  }

  /**
   * Adds contacts; the newest ones are kept (of one list, the first).
   * @param isChosen true if this node chose them, false if they connected by themselves or others
   * named them
   */
  add(peers: readonly string[], isChosen: boolean): void {
    const fresh = new Set(peers.slice(0, this.#capacity));
    const left = (list: readonly string[]) => list.filter((peer) => !fresh.has(peer));
    const newest = (list: readonly string[]) =>
      list.slice(Math.max(0, list.length - this.#capacity));
    if (isChosen) {
      this.#chosen = newest([...left(this.#chosen), ...fresh]);
      this.#others = left(this.#others);
    } else {
      this.#others = newest([
        ...left(this.#others),
        ...[...fresh].filter((peer) => !this.#chosen.includes(peer)),
      ]);
    }
    this.#peers =
      this.#chosen.length >= MANY ? this.#chosen : newest([...this.#others, ...this.#chosen]);
  }

  /** Returns true if the peer is a contact in use. */
  has(peer: string): boolean {
    return this.#peers.includes(peer);
  }

  /** Returns true if the peer is a remembered contact, whether or not it is in use. */
  remembers(peer: string): boolean {
    return this.#chosen.includes(peer) || this.#others.includes(peer);
  }

  random(isFit: (peer: string) => boolean): string | undefined {
    return pick(this.#peers, this.#random, isFit);
  }
}

/**
 * Number of contacts that is large enough to spread requests. With only a few contacts, such as
 * bootstrap nodes, many nodes would send their requests to the same contact.
 */
const MANY = 8;

// Peers that were lost recently. They return to the views only if they ask for a link themselves,
// not if others name them.

export class RecentLosses {
  readonly #window: number;
  readonly #until = new Map<string, number>();

  constructor(window: number) {
    this.#window = window;
  }

  has(peer: string, now: number): boolean {
    const until = this.#until.get(peer);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#until.delete(peer);
    return false;
  }

  /** Returns the number of peers lost within the window. */
  count(now: number): number {
    for (const [peer, until] of this.#until) {
      if (until > now) break;
      this.#until.delete(peer);
    }
    return this.#until.size;
  }

  /** Adds a peer. At most 64 are remembered; beyond that the oldest is forgotten. */
  add(peer: string, now: number): void {
    this.#until.delete(peer);
    this.#until.set(peer, now + this.#window);
    dropOldest(this.#until, MOST);
  }

  delete(peer: string): void {
    this.#until.delete(peer);
  }
}

const MOST = 64;

// Shuffles keep the passive views fresh: two nodes at the ends of a random walk send each other
// some of their peers.

export class Shuffles {
  /** Time at which the next shuffle begins. */
  due: number;
  readonly #views: Views;
  /** Rate limit of other nodes' shuffles that change the passive view. */
  readonly #exchanges: RateLimit;
  /** The shuffle under way: its number, and the peers that were sent. */
  #current: { readonly id: number; readonly told: readonly string[] } | undefined;
  #next: number;

  constructor(views: Views, now: number) {
    const { random, config } = views;
    this.#views = views;
    this.#exchanges = new RateLimit(EXCHANGES, config.shuffleInterval / EXCHANGES);
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
      ...views.passive.sample(config.shufflePassive),
    ];
    const id = this.#next++;
    this.#current = { id, told };
    views.send(target, { type: 'shuffle', origin, id, ttl: config.shuffleWalk, peers: told });
    return true;
  }

  /**
   * Informs a passive peer that this node exists. If the peer's view is short, it asks for a link.
   * If the peer is gone, it will be reported as lost.
   */
  greet(peer: string): void {
    const { self: origin } = this.#views;
    this.#views.send(peer, { type: 'shuffle', origin, id: this.#next++, ttl: 1, peers: [] });
  }

  /** Handles a walk that arrived over a link: passes it on, or ends it here. */
  received(link: OverlayLink, { origin, id, ttl, peers }: MessageOf<'shuffle'>, now: number): void {
    if (!link.shuffles.tryTake(now)) return;
    const views = this.#views;
    if (ttl > 1 && views.active.size > 1) {
      const isFit = (peer: string) => peer !== link.peer && peer !== origin;
      const next = views.active.random(views.random, isFit);
      if (next !== undefined)
        return views.send(next, { type: 'shuffle', origin, id, ttl: ttl - 1, peers });
    }
    if (!this.#exchanges.tryTake(now)) return;
    const told = views.some(origin, peers.length + 1);
    views.send(origin, { type: 'shuffle-reply', id, peers: told });
    views.remember([origin, ...peers], told, now);
  }

  /** Handles a reply. Returns true if it answers the shuffle under way. */
  replied({ id, peers }: MessageOf<'shuffle-reply'>, now: number): boolean {
    if (this.#current?.id !== id) return false;
    this.#views.remember(peers, this.#current.told, now);
    this.#current = undefined;
    return true;
  }
}

/**
 * Maximum number of shuffles that may change the passive view in one interval. On average, 1
 * shuffle ends here; more than 8 arrive only in one of 10^6 intervals.
 */
const EXCHANGES = 8;

// Random selection from short lists.

/**
 * Returns one of the items that fit, chosen at random with equal probability; undefined if none
 * fits.
 */
export function pick<T>(
  list: readonly T[],
  random: Random,
  isFit: (item: T) => boolean,
): T | undefined {
  let fit = 0;
  for (const item of list) if (isFit(item)) fit++;
  if (fit === 0) return undefined;
  let skip = Math.floor(random() * fit);
  for (const item of list) if (isFit(item) && skip-- === 0) return item;
  return undefined;
}

/** Returns `interval` ± 10 %. */
export function jittered(interval: number, random: Random): number {
  return interval * (0.9 + 0.2 * random());
}
