// The recent messages, kept for peers that ask for them. A Tree owns the cache; only Plumtree adds
// and removes messages. Tested in plumtree.test.ts.

import { OldestFirst } from '../messages/oldest-first.ts';
import type { Push } from './message.ts';
import type { PlumtreeOptions } from './options.ts';

/** A message in the cache. */
interface CachedMessage<P> {
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
 * peers can ask for a message that was just announced to them, even if it exceeds `cacheBytes`.
 */
export class MessageCache<P> extends OldestFirst<CachedMessage<P>> {
  /** The sizes of all messages; `add` and `delete` keep it up to date. */
  bytes = 0;
  /** Time at which to call `expire`, about once in an `evictInterval`; Infinity if never. */
  due = Number.POSITIVE_INFINITY;
  readonly #limits: PlumtreeOptions;

  constructor(limits: PlumtreeOptions) {
    super();
    this.#limits = limits;
  }

  /** Returns the `count` newest messages, oldest first. */
  newest(count: number): CachedMessage<P>[] {
    return count === 0 ? [] : [...this.values()].slice(-count);
  }

  /**
   * Adds a message as the newest; `set` first removes one with the same key through `delete`.
   * Returns the number of messages that were evicted because of a limit other than time.
   */
  add(key: string, push: Push<P>, from: string | undefined, now: number): number {
    const { cacheTime, cacheMessages, cacheBytes, evictInterval } = this.#limits;
    this.set(key, { push, from, at: now });
    this.bytes += push.size;
    this.due = Math.min(this.due, now + cacheTime + evictInterval);
    const { size } = this;
    while (this.size > 1 && (this.size > cacheMessages || this.bytes > cacheBytes))
      this.delete(this.oldest![0]);
    return size - this.size;
  }

  override delete(key: string): boolean {
    this.bytes -= this.get(key)?.push.size ?? 0;
    return super.delete(key);
  }

  /** Removes the messages whose time is over, if that is due. */
  expire(now: number): void {
    if (now < this.due) return;
    const { cacheTime, evictInterval } = this.#limits;
    let { oldest } = this;
    for (; oldest !== undefined && now - oldest[1].at >= cacheTime; { oldest } = this)
      this.delete(oldest[0]);
    const next = oldest === undefined ? Number.POSITIVE_INFINITY : oldest[1].at + cacheTime;
    this.due = Math.max(now, next) + evictInterval;
  }
}
