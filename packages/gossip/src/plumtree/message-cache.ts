// The recent messages, kept for peers that ask for them.

import { OldestFirst } from '../messages/oldest-first.ts';
import type { Push } from './message.ts';
import type { PlumtreeOptions } from './options.ts';

/** A message in the cache. */
export interface CachedMessage<P> {
  /** The message as it is passed on, with a hop count that is one higher than on arrival. */
  readonly push: Push<P>;
  /** The peer that brought the message first; undefined if this node published it. */
  readonly from: string | undefined;
  /** Time at which the message was added. */
  readonly at: number;
}

/**
 * A cache with limits for time, entries and bytes (the options `cacheTime`, `cacheMessages` and
 * `cacheBytes`). Beyond a limit the oldest message is evicted. The newest always stays, so that
 * peers can ask for a message that was just announced to them.
 */
export class MessageCache<P> {
  readonly #limits: PlumtreeOptions;
  readonly #messages = new OldestFirst<CachedMessage<P>>();
  #bytes = 0;

  constructor(limits: PlumtreeOptions) {
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
    const all = count === 0 ? [] : [...this.#messages.entries()];
    return all.slice(Math.max(0, all.length - count)).map(([, message]) => message);
  }

  /**
   * Adds a message. Returns the number of messages that were evicted before their time was over.
   */
  add(key: string, push: Push<P>, from: string | undefined, now: number): number {
    this.delete(key);
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
