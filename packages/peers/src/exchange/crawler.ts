// Seed mode: decides which nodes to dial next to ask them for addresses (Tendermint's crawlPeers).

import type { Random } from '@trunkline/transport-core';

/**
 * Picks the nodes to crawl. Remembers only the nodes that it returned in the last two minutes, at
 * most 64.
 */
export class Crawler {
  readonly #random: Random;
  /** Node id → the time at which it was returned, oldest first. */
  readonly #crawled = new Map<string, number>();
  #due: number;

  /** The first crawl is due at once. */
  constructor(random: Random, now: number) {
    this.#random = random;
    this.#due = now;
  }

  /** Time at which `crawl` may return nodes next. */
  get wakeAt(): number {
    return this.#due;
  }

  /** Number of nodes that are remembered. */
  get size(): number {
    return this.#crawled.size;
  }

  /**
   * Returns at most 16 nodes to dial now, drawn at random from the candidates (a selection of the
   * address book). Returns none before `wakeAt`. Returned nodes count as crawled, regardless of the
   * outcome of the dials. A node is returned only once, even if it has several addresses.
   */
  crawl<T extends { readonly nodeId: string }>(now: number, candidates: readonly T[]): T[] {
    if (now < this.#due) return [];
    this.#due = now + INTERVAL;
    this.#forget(now);
    const left = candidates.filter((candidate) => !this.#crawled.has(candidate.nodeId));
    const chosen: T[] = [];
    while (left.length > 0 && chosen.length < MOST) {
      const index = Math.floor(this.#random() * left.length);
      const candidate = left[index]!;
      left[index] = left.at(-1)!;
      left.pop();
      if (this.#crawled.has(candidate.nodeId)) continue;
      this.#crawled.set(candidate.nodeId, now);
      chosen.push(candidate);
    }
    return chosen;
  }

  #forget(now: number): void {
    for (const [nodeId, time] of this.#crawled) {
      if (now - time < AGAIN) return;
      this.#crawled.delete(nodeId);
    }
  }
}

/** Milliseconds between two crawls (Tendermint's crawlPeerPeriod). */
const INTERVAL = 30_000;
/** Milliseconds until a node is crawled again (Tendermint's minTimeBetweenCrawls). */
const AGAIN = 120_000;
/**
 * Maximum number of nodes per crawl. Tendermint tries a whole selection (250), but one node after
 * another.
 */
const MOST = 16;
