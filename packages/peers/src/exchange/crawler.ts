// Seed mode: whom to dial next, to ask for addresses. Tendermint's crawlPeers.

import type { Random } from '@trunkline/transport-core';

export interface CrawlerOptions {
  readonly random: Random;
  readonly now: number;
  /** Milliseconds between two crawls, 30,000 where absent (Tendermint's crawlPeerPeriod). */
  readonly interval?: number | undefined;
  /** Milliseconds until a node is crawled again, 120,000 where absent (Tendermint's minTimeBetweenCrawls). */
  readonly again?: number | undefined;
  /** At most so many nodes a crawl: 16 where absent. Tendermint tries all of a selection (250), but one after the other. */
  readonly most?: number | undefined;
}

/** It remembers whom it gave in the last `again` milliseconds and no other: `most` nodes a crawl of that time. */
export class Crawler {
  readonly #random: Random;
  readonly #interval: number;
  readonly #again: number;
  readonly #most: number;
  /** Node id → when it was given, the longest ago first. */
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

  /** When `crawl` may next give somebody. */
  get due(): number {
    return this.#due;
  }

  /** How many nodes it remembers. */
  get size(): number {
    return this.#crawled.size;
  }

  /**
   * Whom to dial now, of the candidates (a selection of the address book), drawn at random; nobody before `due`. What is given counts
   * as crawled, whatever becomes of the dial. A node stands in the answer once, even if it has several addresses.
   * @param room at most so many: the places that are free for outbound peers.
   */
  crawl<T extends { readonly nodeId: string }>(now: number, candidates: readonly T[], room: number): T[] {
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
