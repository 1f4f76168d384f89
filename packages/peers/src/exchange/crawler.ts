// Seed mode: decides which nodes to dial next to ask them for addresses (Tendermint's crawlPeers).

import type { Random } from '@trunkline/transport-core';

export interface CrawlerOptions {
  readonly random: Random;
  readonly now: number;
  /** Milliseconds between two crawls. Default 30,000 (Tendermint's crawlPeerPeriod). */
  readonly interval?: number | undefined;
  /**
   * Milliseconds until a node is crawled again. Default 120,000 (Tendermint's
   * minTimeBetweenCrawls).
   */
  readonly again?: number | undefined;
  /**
   * Maximum number of nodes per crawl. Default 16. Tendermint tries a whole selection (250), but
   * one node after another.
   */
  readonly most?: number | undefined;
}

/**
 * Picks the nodes to crawl. Remembers only the nodes that it returned in the last `again`
 * milliseconds: at most `most` for each crawl in that time.
 */
export class Crawler {
  readonly #random: Random;
  readonly #interval: number;
  readonly #again: number;
  readonly #most: number;
  /** Node id → the time at which it was returned, oldest first. */
  readonly #crawled = new Map<string, number>();
  #due: number;

  /** The first crawl is due at once. */
  constructor(options: CrawlerOptions) {
    this.#random = options.random;
    this.#interval = options.interval ?? 30_000;
    this.#again = options.again ?? 120_000;
    this.#most = options.most ?? 16;
    this.#due = options.now;
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
   * Returns the nodes to dial now, drawn at random from the candidates (a selection of the address
   * book). Returns none before `wakeAt`. Returned nodes count as crawled, regardless of the outcome
   * of the dials. A node is returned only once, even if it has several addresses.
   * @param room maximum number of nodes to return: the free places for outbound peers.
   */
  crawl<T extends { readonly nodeId: string }>(
    now: number,
    candidates: readonly T[],
    room: number,
  ): T[] {
    if (now < this.#due) return [];
    this.#due = now + this.#interval;
    this.#forget(now);
    const left = candidates.filter((candidate) => !this.#crawled.has(candidate.nodeId));
    const chosen: T[] = [];
    while (left.length > 0 && chosen.length < Math.min(this.#most, room)) {
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
      if (now - time < this.#again) return;
      this.#crawled.delete(nodeId);
    }
  }
}
