// Decides when and where to look for other nodes of a topic: p2panda's random walk over the
// network, as a pure state machine. It owns the pace of the walkers, and the nodes to visit next.
// It is told what is needed and how steps end, and returns the steps to take.

import type { Random } from '@trunkline/transport-core';
import { jittered, pick } from '../hyparview/chance.ts';

/**
 * How urgently nodes are needed. `first`: on some topic no other node is known; `more`: the overlay
 * would use more; `none`: there are enough.
 */
export type Need = 'first' | 'more' | 'none';

/**
 * A step of the walk. `visit`: connect to a node and so learn which topics it is on; `ask`: ask a
 * node that shares a topic with this one which other nodes it knows there.
 */
export interface Step {
  readonly walker: number;
  readonly kind: 'visit' | 'ask';
  readonly nodeId: string;
}

export interface WalkView {
  /** Returns the connected nodes on a topic for which nodes are needed. */
  members(): readonly string[];
  isConnected(nodeId: string): boolean;
  /** Returns a random node that is not connected, has a known address, and fits. */
  pick(isFit: (nodeId: string) => boolean): string | undefined;
}

export interface TopicWalkSetup {
  readonly random: Random;
  /** Number of steps that may be under way concurrently. */
  readonly walkers: number;
  /** The longest pause between two steps of a walker, in milliseconds. */
  readonly slowest: number;
}

interface Walker {
  isUnderWay: boolean;
  /** The current pause in milliseconds; it grows while steps find nothing. */
  pause: number;
  next: number;
}

/**
 * Each walker takes a step, pauses, and takes the next. The pause is one second after a step that
 * found a node. Otherwise it grows by 1 to 5 s, up to `slowest`, and starts over every 60 to 180 s
 * (p2panda). If nodes are known on the topic and more would be welcome, a single walker goes at the
 * slowest pace.
 *
 * A walker first visits nodes that it was told are on the topic, then asks connected members, each
 * once a minute, and then visits any node, none twice in a round of 1,024. p2panda's walkers
 * continue from the node they visited, except in 2 % of the steps. Here each step may go to any
 * node of the address book, which learns the surroundings of each visited node through the exchange
 * of addresses. So no node can lead a walk astray.
 *
 * Times are milliseconds of a monotonic clock.
 */
export class TopicWalk {
  readonly #random: Random;
  readonly #slowest: number;
  readonly #walkers: readonly Walker[];
  #need: Need = 'none';
  /** When the pauses start over. */
  #anew = 0;
  /** Nodes that are said to be on a topic, to be visited next. */
  readonly #leads = new Set<string>();
  readonly #visited = new Set<string>();
  readonly #asked = new Map<string, number>();

  constructor({ random, walkers, slowest }: TopicWalkSetup) {
    this.#random = random;
    this.#slowest = slowest;
    this.#walkers = Array.from({ length: walkers }, () => ({
      isUnderWay: false,
      pause: 0,
      next: 0,
    }));
  }

  /** Sets what is needed now. */
  need(need: Need, now: number): void {
    if (need === this.#need) return;
    this.#need = need;
    if (need === 'first') this.#beginAnew(now);
    for (const walker of this.#walkers)
      walker.next =
        now + (need === 'first' ? PACE * this.#random() : jittered(this.#slowest, this.#random));
    if (need === 'none') this.#leads.clear();
  }

  /** When `step` may next return a step. */
  get due(): number {
    const due = this.#active.map(({ isUnderWay, next }) =>
      isUnderWay ? Number.POSITIVE_INFINITY : next,
    );
    return Math.min(Number.POSITIVE_INFINITY, ...due);
  }

  /**
   * Returns a step to take now, or undefined if it is too early. Call `ended` when the step is
   * over.
   */
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

  /** Ends a step. `found` means that a new node is on a topic with this one, or is said to be. */
  ended({ walker: index }: Step, found: boolean, now: number): void {
    const walker = this.#walkers[index]!;
    walker.isUnderWay = false;
    this.#pause(walker, found, now);
  }

  /** Adds nodes that a trustworthy node says are on a topic. Returns how many of them are new. */
  told(nodeIds: readonly string[], now: number): number {
    let count = 0;
    for (const nodeId of nodeIds) {
      if (this.#leads.size >= LEADS || this.#leads.has(nodeId)) continue;
      if (!this.#visited.has(nodeId)) count++;
      this.#leads.add(nodeId);
    }
    if (count > 0)
      for (const walker of this.#active) walker.next = Math.min(walker.next, now + PACE);
    return count;
  }

  /** The walkers that are active under the present need. */
  get #active(): readonly Walker[] {
    return this.#need === 'first'
      ? this.#walkers
      : this.#need === 'more'
        ? this.#walkers.slice(0, 1)
        : [];
  }

  #beginAnew(now: number): void {
    this.#anew = now + between(60_000, 180_000, this.#random);
    for (const walker of this.#walkers) walker.pause = 0;
  }

  #pause(walker: Walker, found: boolean, now: number): void {
    walker.pause = found
      ? PACE
      : Math.min(this.#slowest, walker.pause + between(1_000, 5_000, this.#random));
    const pause = found || this.#need === 'first' ? walker.pause : this.#slowest;
    walker.next = now + jittered(pause, this.#random);
  }

  #place(now: number, view: WalkView): Pick<Step, 'kind' | 'nodeId'> | undefined {
    for (const nodeId of this.#leads) {
      this.#leads.delete(nodeId);
      if (!view.isConnected(nodeId)) return this.#visit(nodeId);
    }
    const member = pick(
      view.members(),
      this.#random,
      (nodeId) => now >= (this.#asked.get(nodeId) ?? Number.NEGATIVE_INFINITY) + ASK_AGAIN,
    );
    if (member !== undefined) {
      this.#asked.delete(member);
      this.#asked.set(member, now);
      if (this.#asked.size > MEMORY) this.#asked.delete(first(this.#asked.keys()));
      return { kind: 'ask', nodeId: member };
    }
    const stranger = view.pick((nodeId) => !this.#visited.has(nodeId));
    // All nodes have been visited: the next step begins a new round.
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

/** Shortest pause between two steps of a walker in milliseconds. */
const PACE = 1_000;
/** Milliseconds until the same node is asked again. */
const ASK_AGAIN = 60_000;
/** Maximum number of nodes remembered as visited, and as asked. */
const MEMORY = 1_024;
/** Maximum number of nodes in the queue for a visit. */
const LEADS = 64;
