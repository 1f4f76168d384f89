// Messages that have arrived and that the topic is still checking, and messages that it did not
// accept. No peer is asked for any of them.

import type { Advertiser } from './advertiser.ts';

export class PendingMessages {
  /**
   * Messages that the topic is checking, with the peers that gave notice of them. The topic bounds
   * their number.
   */
  readonly #held = new Map<string, readonly Advertiser[]>();
  /** Messages that were not accepted, the oldest first. */
  readonly #refused = new Set<string>();

  /**
   * Records that the topic is checking a message.
   * @param advertisers the peers that gave notice of it so far.
   */
  hold(key: string, advertisers: readonly Advertiser[]): void {
    this.#refused.delete(key);
    this.#held.set(key, advertisers);
  }

  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  /**
   * Records that a peer gave notice of a message. Returns false if the message is neither held nor
   * refused.
   */
  advertise(key: string, peer: string, hops: number): boolean {
    const advertisers = this.#held.get(key);
    if (advertisers === undefined) return this.#refused.has(key);
    if (!advertisers.some((advertiser) => advertiser.peer === peer))
      this.#held.set(key, [...advertisers, { peer, hops, asked: 0 }]);
    return true;
  }

  /**
   * Removes a message that was accepted or is no longer needed. Returns the peers that gave notice
   * of it if it was held, and undefined otherwise.
   */
  take(key: string): readonly Advertiser[] | undefined {
    const advertisers = this.#held.get(key);
    this.#held.delete(key);
    this.#refused.delete(key);
    return advertisers;
  }

  /** Records that a message was not accepted. */
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

/** Maximum number of messages that are remembered as not accepted. */
const REFUSED = 4_096;
