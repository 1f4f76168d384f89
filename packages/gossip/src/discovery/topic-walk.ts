// When to look for other nodes of a topic, and where: p2panda's random walk over the network, as a pure machine.

import type { Random } from '@trunkline/transport-core';
import { jittered, pick } from '../hyparview/chance.ts';

/** How much nodes are wanted: `first`: on a topic nobody is known; `more`: the overlay would have more; `none`: there are enough. */
export type Need = 'first' | 'more' | 'none';

/** `visit`: connect to a node, and so learn which topics it is on; `ask`: one that is on a topic with this node tells whom it knows there. */
export interface Step {
  readonly walker: number;
  readonly kind: 'visit' | 'ask';
  readonly nodeId: string;
}

export interface WalkView {
  /** Connected nodes on a topic for which nodes are wanted. */
  members(): readonly string[];
  isConnected(nodeId: string): boolean;
  /** A node that is not connected, whose address is known, and that fits: any, by chance. */
  pick(isFit: (nodeId: string) => boolean): string | undefined;
}

export interface TopicWalkSetup {
  readonly random: Random;
  /** How many steps are under way at once. */
  readonly walkers: number;
  /** The longest pause between two steps of a walker, in milliseconds. */
  readonly slowest: number;
}

interface Walker {
  isUnderWay: boolean;
  /** The pause that finding nothing has grown to. */
  pause: number;
  next: number;
}

/**
 * Each walker takes a step, pauses, and takes the next. A pause is a second after a step that found somebody; else it grows by 1 to 5 s, up to
 * `slowest`, and begins anew every 60 to 180 s (p2panda). Where nodes are on the topic and more would be welcome, one walker goes at the slowest
 * pace. First it goes where it was told that a node of the topic is, then asks those that are connected, each once a minute, and then visits
 * anybody, nobody twice in a round of 1,024. p2panda's walkers go on from whom they visited, but for 2 % of steps; here each step may go to any
 * node of the address book, which hears of those around whoever is visited by the exchange of addresses: no walk can be led astray.
 * Times are milliseconds of a monotonic clock.
 */
export class TopicWalk {
  readonly #random: Random;
  readonly #slowest: number;
  readonly #walkers: readonly Walker[];
  #need: Need = 'none';
  /** When pauses begin anew. */
  #anew = 0;
  /** Told of as on a topic. */
  readonly #leads = new Set<string>();
  readonly #visited = new Set<string>();
  readonly #asked = new Map<string, number>();

  constructor({ random, walkers, slowest }: TopicWalkSetup) {
    this.#random = random;
    this.#slowest = slowest;
    this.#walkers = Array.from({ length: walkers }, () => ({ isUnderWay: false, pause: 0, next: 0 }));
  }

  /** What is wanted now. */
  need(need: Need, now: number): void {
    if (need === this.#need) return;
    this.#need = need;
    if (need === 'first') this.#beginAnew(now);
    for (const walker of this.#walkers) walker.next = now + (need === 'first' ? PACE * this.#random() : jittered(this.#slowest, this.#random));
    if (need === 'none') this.#leads.clear();
  }

  /** When `step` may give something. */
  get due(): number {
    const due = this.#active.map(({ isUnderWay, next }) => (isUnderWay ? Number.POSITIVE_INFINITY : next));
    return Math.min(Number.POSITIVE_INFINITY, ...due);
  }

  /** A step to take now; tell `ended` of it. Undefined: none yet. */
  step(now: number, view: WalkView): Step | undefined {
    if (this.#need === 'first' && now >= this.#anew) this.#beginAnew(now);
    for (const [index, walker] of this.#active.entries()) {
      if (walker.isUnderWay || now < walker.next) continue;
      const place = this.#place(now, view);
      if (place === undefined) {
        this.#pause(walker, false, now);
        continue;
      }
      walker.isUnderWay = true;
      return { walker: index, ...place };
    }
    return undefined;
  }

  /** A step is over. `found`: somebody new is on a topic with this node, or is said to be. */
  ended({ walker: index }: Step, found: boolean, now: number): void {
    const walker = this.#walkers[index]!;
    walker.isUnderWay = false;
    this.#pause(walker, found, now);
  }

  /** A node that may be trusted to know says that these are on a topic. Gives how many are new. */
  told(nodeIds: readonly string[], now: number): number {
    let count = 0;
    for (const nodeId of nodeIds) {
      if (this.#leads.size >= LEADS || this.#leads.has(nodeId)) continue;
      if (!this.#visited.has(nodeId)) count++;
      this.#leads.add(nodeId);
    }
    if (count > 0) for (const walker of this.#active) walker.next = Math.min(walker.next, now + PACE);
    return count;
  }

  /** Those of the walkers that go. */
  get #active(): readonly Walker[] {
    return this.#need === 'first' ? this.#walkers : this.#need === 'more' ? this.#walkers.slice(0, 1) : [];
  }

  #beginAnew(now: number): void {
    this.#anew = now + between(60_000, 180_000, this.#random);
    for (const walker of this.#walkers) walker.pause = 0;
  }

  #pause(walker: Walker, found: boolean, now: number): void {
    walker.pause = found ? PACE : Math.min(this.#slowest, walker.pause + between(1_000, 5_000, this.#random));
    const pause = found || this.#need === 'first' ? walker.pause : this.#slowest;
    walker.next = now + jittered(pause, this.#random);
  }

  #place(now: number, view: WalkView): Pick<Step, 'kind' | 'nodeId'> | undefined {
    for (const nodeId of this.#leads) {
      this.#leads.delete(nodeId);
      if (!view.isConnected(nodeId)) return this.#visit(nodeId);
    }
    const member = pick(view.members(), this.#random, (nodeId) => now >= (this.#asked.get(nodeId) ?? Number.NEGATIVE_INFINITY) + ASK_AGAIN);
    if (member !== undefined) {
      this.#asked.delete(member);
      this.#asked.set(member, now);
      if (this.#asked.size > MEMORY) this.#asked.delete(first(this.#asked.keys()));
      return { kind: 'ask', nodeId: member };
    }
    const stranger = view.pick((nodeId) => !this.#visited.has(nodeId));
    // All were visited: the next round begins with the next step.
    if (stranger === undefined) this.#visited.clear();
    return stranger === undefined ? undefined : this.#visit(stranger);
  }

  #visit(nodeId: string): Pick<Step, 'kind' | 'nodeId'> {
    this.#visited.add(nodeId);
    if (this.#visited.size > MEMORY) this.#visited.delete(first(this.#visited));
    return { kind: 'visit', nodeId };
  }
}

function between(least: number, most: number, random: Random): number {
  return least + (most - least) * random();
}

function first<T>(items: Iterable<T>): T {
  const [item] = items;
  return item!;
}

/** Milliseconds between two steps of a walker at least. */
const PACE = 1_000;
/** Milliseconds until a node is asked again whom it knows. */
const ASK_AGAIN = 60_000;
/** Nodes that are remembered as visited, and as asked. */
const MEMORY = 1_024;
/** Nodes that are waited with for a visit. */
const LEADS = 64;
