// The sources from which nodes register: the number of nodes of each source, and the rate at which
// it may start registrations and sessions. A source is remembered after its last node has left,
// until another source needs its place.

import { type Random, TransportError } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';
import { TokenBucket } from './token-bucket.ts';

/**
 * Maximum number of sources without a node that are remembered, so that reconnecting doesn't reset
 * the rate.
 */
const REMEMBERED = 1_024;

/**
 * The number of tokens that a source may use at one time, as a multiple of the tokens of one
 * second.
 */
const BURST = 10;

interface Source {
  nodes: number;
  /** Random, so that it does not tell the address. */
  readonly tag: string;
  readonly bucket: TokenBucket;
}

/** Counts the nodes of each source and bounds its rate. */
export class Sources {
  readonly #most: number;
  readonly #rate: number;
  readonly #now: () => number;
  readonly #random: Random;
  /** The known sources, the least recently used first. */
  readonly #sources = new Map<string, Source>();
  #idle = 0;

  constructor(
    limits: { nodesPerSource: number; ratePerSource: number },
    now: () => number,
    random: Random,
  ) {
    this.#random = random;
    this.#most = limits.nodesPerSource;
    this.#rate = limits.ratePerSource;
    this.#now = now;
  }

  /**
   * Counts one start against the source's rate; throws `resource_exhausted` if the rate is used up.
   */
  spend(name: string): void {
    if (!this.#use(name).bucket.tryTake(this.#now()))
      throw new TransportError(
        'resource_exhausted',
        `this source may start ${this.#rate} registrations and sessions per second: try again later`,
      );
  }

  /** Returns the opaque name of a source, which stays the same while the source is remembered. */
  tagOf(name: string): string {
    return this.#use(name).tag;
  }

  /** Counts a node; throws `resource_exhausted` if the source has too many. */
  enter(name: string): void {
    const source = this.#use(name);
    if (source.nodes >= this.#most)
      throw new TransportError(
        'resource_exhausted',
        `this source has ${source.nodes} nodes registered, the most that one source may have`,
      );
    if (source.nodes++ === 0) this.#idle--;
  }

  /** Removes a node from the count; call it once after each `enter`. */
  leave(name: string): void {
    const source = this.#sources.get(name)!;
    if (--source.nodes === 0) this.#idle++;
  }

  /** Returns the source, and marks it as the most recently used one. */
  #use(name: string): Source {
    let source = this.#sources.get(name);
    if (source === undefined) {
      this.#forgetOne();
      const bucket = new TokenBucket(this.#rate, this.#rate * BURST, this.#now());
      const tag = btoa(String.fromCharCode(...randomBytes(this.#random, 9)));
      source = { nodes: 0, tag, bucket };
      this.#idle++;
    } else this.#sources.delete(name);
    this.#sources.set(name, source);
    return source;
  }

  /** Makes room: forgets the least recently used source that has no node. */
  #forgetOne(): void {
    if (this.#idle < REMEMBERED) return;
    for (const [name, source] of this.#sources)
      if (source.nodes === 0) {
        this.#sources.delete(name);
        this.#idle--;
        return;
      }
  }
}
