// The links of a node. They are few and symmetric, and some of them are of the node's own choice.

import type { Random } from '@trunkline/transport-core';
import { Allowance } from './allowance.ts';
import { pick } from './chance.ts';
import type { PartialViewConfig } from './options.ts';

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
  readonly shuffles: Allowance;
  readonly introductions: Allowance;
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
    let count = 0;
    for (const { peer } of this.#links) if (this.#isDistrusted(peer)) count++;
    return count;
  }

  /** Number of links of this node's own choice. */
  get chosen(): number {
    let count = 0;
    for (const { chosen } of this.#links) if (chosen) count++;
    return count;
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
  add(peer: string, chosen: boolean, now: number): void {
    const shuffles = new Allowance(SHUFFLES, this.#shuffleInterval / SHUFFLES, now);
    this.#links.push({
      peer,
      chosen,
      gave: false,
      turn: this.#turn,
      shuffles,
      introductions: new Allowance(INTRODUCTIONS, INTRODUCTION_INTERVAL, now),
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
 * accepted. A bootstrap node sends an introduction for each favor that it does, which is one per
 * second.
 */
const INTRODUCTIONS = 20;
const INTRODUCTION_INTERVAL = 500;
