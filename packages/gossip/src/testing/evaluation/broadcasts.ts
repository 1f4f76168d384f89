// Broadcasts over the papers' whole system: partial views in cycles, and a broadcast tree on the links that they choose.

import type { Random } from '@trunkline/transport-core';
import { messageKey } from '../../messages/message-id.ts';
import { type PlumtreeOptionsInput, plumtreeOptions } from '../../plumtree/options.ts';
import { Network } from '../../plumtree/testing/network.ts';
import type { Cycles } from '../cycles/cycles.ts';

export interface BroadcastsOptions {
  readonly net: Cycles;
  /** Nodes that there may be in the end, those that join later included. */
  readonly nodes: number;
  readonly random: Random;
  /** Of the tree. Notices go at once, and no link is tried, as in the paper's simulation. */
  readonly tree?: PlumtreeOptionsInput | undefined;
}

/** What became of one message. */
export interface Broadcast {
  readonly key: string;
  readonly reached: ReadonlySet<number>;
  readonly lastHop: () => number;
}

/** Hops take a millisecond each. The views change only while `heal` is called, and in the cycles of `net`. */
export class Broadcasts {
  readonly network: Network;
  readonly #net: Cycles;
  #links = new Map<number, readonly [number, number]>();

  constructor({ net, nodes, random, tree = {} }: BroadcastsOptions) {
    this.#net = net;
    const options = plumtreeOptions({ noticeDelay: 0, trialAfter: NO_TRIALS, ...tree });
    this.network = new Network({ nodes, random, latency: [1, 1], options, unheard: (from, to) => net.write(from, to) });
    this.link();
  }

  /** Makes the links those of the views, as they are now. Of a dead node those are up that a living one believes in. */
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
    const key = messageKey(this.network.publish(node));
    const round = this.network.rounds.get(key)!;
    return { key, reached: round.reached, lastHop: () => round.lastHop };
  }

  /** What was written to the dead is noticed, the views are mended, and the links follow them. */
  heal(): void {
    this.#net.settle();
    this.link();
  }

  /** A membership cycle. */
  cycle(): void {
    this.#net.cycle();
    this.link();
  }

  /** The nodes crash. `seen`: their neighbours see it at once. */
  crash(nodes: readonly number[], seen: boolean): void {
    for (const node of nodes) this.network.crash(node);
    this.#net.fail(nodes, seen);
    if (seen) this.link();
  }
}

/** More messages than are published. */
const NO_TRIALS = 2 ** 24;
