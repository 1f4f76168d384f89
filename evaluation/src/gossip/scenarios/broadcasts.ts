// Broadcasts over the whole system of the papers: partial views in cycles, and a broadcast tree on
// the links that the views choose.

import type { Random } from '@trunkline/transport-core';
import type { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';
import { messageKey } from '../../../../packages/gossip/dist/messages/message-id.js';
import {
  type PlumtreeOptions,
  plumtreeOptions,
} from '../../../../packages/gossip/dist/plumtree/options.js';
import { Network } from '../../../../packages/gossip/dist/plumtree/testing/network.js';

/** The views, and the options of the tree. */
export interface BroadcastsOptions {
  readonly net: Cycles;
  /** Final number of nodes, including those that join later. */
  readonly nodes: number;
  readonly random: Random;
  /**
   * Options of the tree. Notices are sent at once, and there are no probes, as in the paper's
   * simulation.
   */
  readonly tree?: Partial<PlumtreeOptions> | undefined;
}

/** The deliveries of one message. */
export interface Broadcast {
  readonly reached: ReadonlySet<number>;
  readonly lastHop: () => number;
}

/**
 * A broadcast tree over the views of `net`. Hops take a millisecond each. The views change only in
 * `heal` and in the cycles of `net`.
 */
export class Broadcasts {
  readonly network: Network;
  readonly #net: Cycles;
  #links = new Map<number, readonly [number, number]>();

  constructor({ net, nodes, random, tree = {} }: BroadcastsOptions) {
    this.#net = net;
    const options = { ...plumtreeOptions({ noticeDelay: 0 }), trialAfter: NO_TRIALS, ...tree };
    this.network = new Network({
      nodes,
      random,
      latency: [1, 1],
      options,
      unheard: (from, to) => net.write(from, to),
    });
    this.link();
  }

  /**
   * Adapts the links of the tree to the present views. A link to a dead node counts as up as long
   * as a living node considers it up.
   */
  link(): void {
    const net = this.#net;
    const links = new Map<number, readonly [number, number]>();
    for (const node of net.living()) {
      for (const peer of net.view(node).active()) {
        const other = net.indexOf(peer);
        links.set(Math.min(node, other) * 0x100_0000 + Math.max(node, other), [node, other]);
      }
    }
    for (const [key, link] of this.#links) if (!links.has(key)) this.network.down(...link);
    for (const [key, link] of links) if (!this.#links.has(key)) this.network.up(...link);
    this.#links = links;
  }

  get links(): number {
    return this.#links.size;
  }

  publish(node: number): Broadcast {
    const round = this.network.rounds.get(messageKey(this.network.publish(node)))!;
    return { reached: round.reached, lastHop: () => round.lastHop };
  }

  /**
   * Lets the nodes that wrote to dead ones notice it and repair their views, and adapts the links.
   */
  heal(): void {
    this.#net.settle();
    this.link();
  }

  /** Runs a membership cycle. */
  cycle(): void {
    this.#net.cycle();
    this.link();
  }

  /** Crashes nodes. With `seen`, their neighbors see it at once. */
  crash(nodes: readonly number[], seen: boolean): void {
    for (const node of nodes) this.network.crash(node);
    this.#net.fail(nodes, seen);
    if (seen) this.link();
  }
}

/** A number of messages that is never reached, so that there are no probes. */
const NO_TRIALS = 2 ** 24;
