// The recent messages, kept for peers that ask for them.

import { dropOldest, OldestFirst } from '../messages/oldest-first.ts';
import type { Advertiser } from './advertiser.ts';
import type { Push } from './message.ts';

/** A message in the cache. */
export interface CachedMessage<P> {
  /** The message as it is passed on, with a hop count that is one higher than on arrival. */
  readonly push: Push<P>;
  /** The peer that brought the message first; undefined if this node published it. */
  readonly from: string | undefined;
  /** Time at which the message was added. */
  readonly at: number;
}

/** The limits of the cache: options of Plumtree. */
export interface MessageCacheLimits {
  /** Time for which a message is kept, in milliseconds. */
  readonly cacheTime: number;
  /** Maximum number of messages in the cache. */
  readonly cacheMessages: number;
  /** Maximum total size of their payloads in bytes. */
  readonly cacheBytes: number;
}

/**
 * A cache with limits for time, entries and bytes. Beyond a limit the oldest message is evicted.
 * The newest always stays, so that peers can ask for a message that was just announced to them.
 */
export class MessageCache<P> {
  readonly #limits: MessageCacheLimits;
  readonly #messages = new OldestFirst<CachedMessage<P>>();
  #bytes = 0;

  constructor(limits: MessageCacheLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#messages.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Time at which `expire` has something to remove; Infinity if never. */
  get due(): number {
    const oldest = this.#messages.oldest;
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest[1].at + this.#limits.cacheTime;
  }

  get(key: string): CachedMessage<P> | undefined {
    return this.#messages.get(key);
  }

  /** Returns the `count` newest messages, oldest first. */
  newest(count: number): CachedMessage<P>[] {
    const all = [...this.#messages.entries()];
    return all.slice(Math.max(0, all.length - count)).map(([, message]) => message);
  }

  /**
   * Adds a message. Returns the number of messages that were evicted before their time was over.
   */
  add(key: string, push: Push<P>, from: string | undefined, now: number): number {
    this.#messages.set(key, { push, from, at: now });
    this.#bytes += push.size;
    let evicted = 0;
    while (
      this.#messages.size > 1 &&
      (this.#messages.size > this.#limits.cacheMessages || this.#bytes > this.#limits.cacheBytes)
    ) {
      this.#remove(...this.#messages.oldest!);
      evicted++;
    }
    return evicted;
  }

  delete(key: string): void {
    const message = this.#messages.get(key);
    if (message !== undefined) this.#remove(key, message);
  }

  /** Removes the messages whose time is over. */
  expire(now: number): void {
    for (
      let { oldest } = this.#messages;
      oldest !== undefined && now - oldest[1].at >= this.#limits.cacheTime;
      { oldest } = this.#messages
    ) {
      this.#remove(...oldest);
    }
  }

  #remove(key: string, { push }: CachedMessage<P>): void {
    this.#messages.delete(key);
    this.#bytes -= push.size;
  }
}

// Messages that have arrived and that the topic is still checking, and messages that it did not
// accept. No peer is asked for any of them.

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
    dropOldest(this.#refused, REFUSED);
  }
}

/** Maximum number of messages that are remembered as not accepted. */
const REFUSED = 4_096;
