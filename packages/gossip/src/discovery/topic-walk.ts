// Decides when and where to look for other nodes of a topic: p2panda's random walk over the
// network. It decides on the pace of the walkers and on the nodes to visit next. It is told which
// nodes are needed and how steps ended, and returns the steps to take.

import { dropOldest, RateLimit } from '@trunkline/peers/internal';
import type { Random } from '@trunkline/transport-core';
import {
  type Options,
  type OptionsInput,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import { jittered, pick } from '../hyparview/views.ts';

/**
 * The urgency with which nodes are needed. `first`: on some topic, no other node is known; `more`:
 * the overlay could use more nodes; `none`: there are enough nodes.
 */
export type Need = 'first' | 'more' | 'none';

/**
 * A step that a walker takes. `visit`: connect to a node to learn which topics it is on; `ask`: ask
 * a node that shares a topic with this one for other nodes of that topic.
 */
export interface Step {
  readonly type: 'visit' | 'ask';
  readonly walker: number;
  readonly nodeId: string;
}

interface TopicWalkInit {
  readonly random: Random;
  /** Maximum number of steps that run concurrently. */
  readonly walkers: number;
  /** The longest pause between two steps of a walker, in milliseconds. */
  readonly slowest: number;
  /** Returns the connected nodes on a topic for which nodes are needed. */
  readonly members: () => readonly string[];
  readonly isConnected: (nodeId: string) => boolean;
  /** Returns a random node that is not connected, has a known address, and fits. */
  readonly draw: (isFit: (nodeId: string) => boolean) => string | undefined;
}

interface Walker {
  isUnderWay: boolean;
  /** The current pause in milliseconds; it grows while steps find nothing. */
  pause: number;
  next: number;
}

/**
 * Each walker takes a step, pauses, and takes the next. The pause is one second after a step that
 * found a node. After any other step the pause grows by 1 to 5 s, up to `slowest`; every 60 to 180
 * s it starts again at one second (p2panda). If nodes are known on the topic and more would be
 * welcome, a single walker works at the slowest pace.
 *
 * A walker first visits nodes that others have named as members of the topic. Then it asks
 * connected members, each at most once a minute. Finally it visits any other node, but no node
 * twice in a round of 1,024. p2panda's walkers continue from the node they visited, except in 2 %
 * of the steps. Here each step may go to any node of the address book. The address book learns the
 * neighborhood of each visited node through the exchange of addresses, so no single node can
 * control the course of a walk.
 *
 * Times are milliseconds of a monotonic clock.
 */
export class TopicWalk {
  /** The current need. */
  need: Need = 'none';
  /** Number of steps that found a node. */
  found = 0;
  readonly #init: TopicWalkInit;
  readonly #walkers: readonly Walker[];
  /** Time at which the pauses start over. */
  #anew = 0;
  /** Nodes that are said to be on a topic, to be visited next. */
  readonly #leads = new Set<string>();
  readonly #visited = new Set<string>();
  readonly #asked = new Map<string, number>();

  constructor(init: TopicWalkInit) {
    this.#init = init;
    const walker = { isUnderWay: false, pause: 0, next: 0 };
    this.#walkers = Array.from({ length: init.walkers }, () => ({ ...walker }));
  }

  get wakeAt(): number {
    const idle = this.#active.filter(({ isUnderWay }) => !isUnderWay);
    return Math.min(...idle.map(({ next }) => next));
  }

  /** Sets what is needed now. */
  setNeed(need: Need, now: number): void {
    if (need === this.need) return;
    this.need = need;
    const { random, slowest } = this.#init;
    if (need === 'first') this.#beginAnew(now);
    for (const walker of this.#walkers)
      walker.next = now + (need === 'first' ? PACE * random() : jittered(slowest, random));
    if (need === 'none') this.#leads.clear();
  }

  /** Returns the steps that are due. */
  wake(now: number): Step[] {
    const steps: Step[] = [];
    if (this.need === 'first' && now >= this.#anew) this.#beginAnew(now);
    for (const [index, walker] of this.#active.entries()) {
      if (walker.isUnderWay || now < walker.next) continue;
      const place = this.#place(now);
      walker.isUnderWay = place !== undefined;
      if (place === undefined) this.#pause(walker, false, now);
      else steps.push({ ...place, walker: index });
    }
    return steps;
  }

  /**
   * Called when a walker's step is over.
   * @param isFound true if the step found a new node that shares a topic with this one
   * @param named nodes that, according to a trustworthy node, are on a topic
   */
  ended(index: number, isFound: boolean, named: readonly string[], now: number): void {
    const walker = this.#walkers[index]!;
    const found = this.#follow(named, now) || isFound;
    if (found) this.found++;
    walker.isUnderWay = false;
    this.#pause(walker, found, now);
  }

  /** Adds nodes to be visited next. Returns true if any of them is new. */
  #follow(nodeIds: readonly string[], now: number): boolean {
    let isAnyNew = false;
    for (const nodeId of nodeIds) {
      if (this.#leads.size >= LEADS || this.#leads.has(nodeId)) continue;
      if (!this.#visited.has(nodeId)) isAnyNew = true;
      this.#leads.add(nodeId);
    }
    if (isAnyNew)
      for (const walker of this.#active) walker.next = Math.min(walker.next, now + PACE);
    return isAnyNew;
  }

  /** The walkers that are active, given the current need. */
  get #active(): readonly Walker[] {
    if (this.need === 'first') return this.#walkers;
    return this.#walkers.slice(0, this.need === 'more' ? 1 : 0);
  }

  #beginAnew(now: number): void {
    this.#anew = now + between(60_000, 180_000, this.#init.random);
    for (const walker of this.#walkers) walker.pause = 0;
  }

  #pause(walker: Walker, found: boolean, now: number): void {
    const { random, slowest } = this.#init;
    walker.pause = found ? PACE : Math.min(slowest, walker.pause + between(1_000, 5_000, random));
    const pause = found || this.need === 'first' ? walker.pause : slowest;
    walker.next = now + jittered(pause, random);
  }

  #place(now: number): Omit<Step, 'walker'> | undefined {
    const { members, isConnected, draw, random } = this.#init;
    for (const nodeId of this.#leads) {
      this.#leads.delete(nodeId);
      if (!isConnected(nodeId)) return this.#visit(nodeId);
    }
    const member = pick(
      members(),
      random,
      (nodeId) => now >= (this.#asked.get(nodeId) ?? Number.NEGATIVE_INFINITY) + ASK_AGAIN,
    );
    if (member !== undefined) {
      this.#asked.delete(member);
      this.#asked.set(member, now);
      dropOldest(this.#asked, MEMORY);
      return { type: 'ask', nodeId: member };
    }
    const stranger = draw((nodeId) => !this.#visited.has(nodeId));
    // All nodes have been visited: the next step begins a new round.
    if (stranger === undefined) this.#visited.clear();
    return stranger === undefined ? undefined : this.#visit(stranger);
  }

  #visit(nodeId: string): Omit<Step, 'walker'> {
    this.#visited.add(nodeId);
    dropOldest(this.#visited, MEMORY);
    return { type: 'visit', nodeId };
  }
}

function between(least: number, most: number, random: Random): number {
  return least + (most - least) * random();
}

/** Shortest pause between two steps of a walker, in milliseconds. */
const PACE = 1_000;
/** Milliseconds until the same node may be asked again. */
const ASK_AGAIN = 60_000;
/** Maximum number of nodes remembered as visited, and as asked. */
const MEMORY = 1_024;
/** Maximum number of nodes in the queue for a visit. */
const LEADS = 64;

// Limits how many answers a peer gets. A peer that exceeds the limit gets no answer; a peer that
// keeps asking is reported.

/** The answers that one peer may still get. */
export class Ration {
  readonly #rate = new RateLimit(BURST, INTERVAL);
  #refused = 0;

  /**
   * Takes an answer from the ration. Returns false if the peer must get no answer. Calls `abused`
   * if the peer must also be reported.
   */
  take(now: number, abused: () => void): boolean {
    if (this.#rate.tryTake(now)) return true;
    if (++this.#refused % ABUSE === 0) abused();
    return false;
  }
}

/** Number of answers available at once. */
const BURST = 10;
/** Milliseconds until one more answer is available. */
const INTERVAL = 1_000;
/**
 * Number of refusals after which a peer is reported. An honest node that was refused asks again
 * only once, some seconds later.
 */
const ABUSE = 100;

// The options of discovery, with their defaults.

const schema = optionsSchema({
  /**
   * Maximum number of steps that run concurrently, 0 to 16. With 0, this node doesn't search for
   * other nodes but answers nodes that search. Default 2 (p2panda).
   */
  walkers: option.withDefault(option.integer(0, 16), 2),
  /** The longest pause between two steps of a walker, in milliseconds. Default 30,000 (p2panda). */
  slowest: option.withDefault(option.milliseconds(), 30_000),
});

/** Options for finding other nodes of a topic. */
export type DiscoveryOptions = OptionsInput<typeof schema>;

/** The parsed options, with defaults; undefined if discovery is off. */
export type DiscoveryConfig = Options<typeof schema> | undefined;

/** Parses the options. Throws a TypeError that names the wrong option. */
export function discoveryConfig(options: DiscoveryOptions | false = {}): DiscoveryConfig {
  return options === false ? undefined : parseOptions(schema, options, 'createGossip: discovery');
}
