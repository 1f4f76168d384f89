// The links of a node: few, symmetric, and part of them of its own choice.

import type { Random } from '@trunkline/transport-core';
import { Allowance } from './allowance.ts';
import { pick } from './chance.ts';
import type { PartialViewConfig } from './options.ts';

export interface Link {
  readonly peer: string;
  /** This node asked for it, of its own accord, or knows the peer; else the peer did, or somebody introduced it. */
  readonly chosen: boolean;
  /** It has passed messages on. */
  gave: boolean;
  /** The turn in which this node last began a shuffle there. */
  turn: number;
  /** Shuffles and introductions that come over it. */
  readonly shuffles: Allowance;
  readonly introductions: Allowance;
}

export class ActiveView {
  readonly #shuffleInterval: number;
  readonly #own: number;
  readonly #links: Link[] = [];
  #turn = 0;

  constructor({ shuffleInterval, own }: Pick<PartialViewConfig, 'shuffleInterval' | 'own'>) {
    this.#shuffleInterval = shuffleInterval;
    this.#own = own;
  }

  get size(): number {
    return this.#links.length;
  }

  /** Links that this node asked for. */
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

  get(peer: string): Link | undefined {
    for (const link of this.#links) if (link.peer === peer) return link;
    return undefined;
  }

  /** The caller has made room. */
  add(peer: string, chosen: boolean, now: number): void {
    const shuffles = new Allowance(SHUFFLES, this.#shuffleInterval / SHUFFLES, now);
    this.#links.push({ peer, chosen, gave: false, turn: this.#turn, shuffles, introductions: new Allowance(INTRODUCTIONS, INTRODUCTION_INTERVAL, now) });
  }

  remove(peer: string): boolean {
    const index = this.#links.findIndex((link) => link.peer === peer);
    if (index >= 0) this.#links.splice(index, 1);
    return index >= 0;
  }

  /** The peer to which this node began no shuffle for longest: so each link is used, and known to be one at both ends, every so often. */
  next(): string | undefined {
    let next: Link | undefined;
    for (const link of this.#links) if (next === undefined || link.turn < next.turn) next = link;
    if (next !== undefined) next.turn = ++this.#turn;
    return next?.peer;
  }

  /** Where a walk goes on. */
  random(random: Random, isFit: (peer: string) => boolean): string | undefined {
    return pick(this.#links, random, ({ peer }) => isFit(peer))?.peer;
  }

  /**
   * Who goes when one must: the last that came of those that this node did not ask for, so that in a flood of requests one takes the
   * place of the other, and all older links stay; of these rather one that has passed nothing on, even one that it asked for where there are more than `own`
   * of them. Where it asked for all, the last.
   */
  victim(): string | undefined {
    const last = (isFit: (link: Link) => boolean) => this.#links.findLast(isFit);
    const useless = last(({ chosen, gave }) => !chosen && !gave) ?? (this.chosen > this.#own ? last(({ gave }) => !gave) : undefined);
    return (useless ?? last(({ chosen }) => !chosen) ?? this.#links.at(-1))?.peer;
  }
}

/** Shuffles a link may bring in one interval. On average it is walk ÷ active, 1.2; more than 12 come once in 10^9 intervals. */
const SHUFFLES = 12;
/** Introductions a link may bring at once, and one more in each interval. A bootstrap node brings one for each favour it does, each second. */
const INTRODUCTIONS = 20;
const INTRODUCTION_INTERVAL = 500;
