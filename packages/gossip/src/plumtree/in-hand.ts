// Messages that have come and that the host still looks at, and those that it did not accept: nobody is asked for either.

import type { Advertiser } from './advertiser.ts';

export class InHand {
  /** Who else gave notice of what is looked at. The host bounds how much that is at once. */
  readonly #held = new Map<string, readonly Advertiser[]>();
  /** Not accepted, the oldest first. */
  readonly #refused = new Set<string>();

  /** The host looks at it. @param advertisers who gave notice of it so far. */
  hold(key: string, advertisers: readonly Advertiser[]): void {
    this.#refused.delete(key);
    this.#held.set(key, advertisers);
  }

  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  /** A peer gave notice of it. False: it is not in hand, and wasn't refused. */
  advertise(key: string, peer: string, hops: number): boolean {
    const advertisers = this.#held.get(key);
    if (advertisers === undefined) return this.#refused.has(key);
    if (!advertisers.some((advertiser) => advertiser.peer === peer)) this.#held.set(key, [...advertisers, { peer, hops, asked: 0 }]);
    return true;
  }

  /** It is accepted, or of no use any more. Who gave notice of it while it was held; undefined: it was not. */
  take(key: string): readonly Advertiser[] | undefined {
    const advertisers = this.#held.get(key);
    this.#held.delete(key);
    this.#refused.delete(key);
    return advertisers;
  }

  /** It is not accepted. */
  refuse(key: string): void {
    this.#held.delete(key);
    this.#refused.add(key);
    if (this.#refused.size <= REFUSED) return;
    for (const oldest of this.#refused) {
      this.#refused.delete(oldest);
      return;
    }
  }
}

/** Messages that are remembered as not accepted. */
const REFUSED = 4_096;
