// The messages of the last while, for those who ask for them.

import type { Push } from './message.ts';

export interface CachedMessage<P> {
  /** As it is passed on: one hop further. */
  readonly push: Push<P>;
  /** Who brought it first; undefined: this node published it. */
  readonly from: string | undefined;
  readonly at: number;
}

export interface MessageCacheLimits {
  /** Milliseconds. */
  readonly cacheTime: number;
  readonly cacheMessages: number;
  readonly cacheBytes: number;
}

/** Bounded by time, entries and bytes: the oldest goes first. The newest always stays, or else nobody could ask for what it was given notice of. */
export class MessageCache<P> {
  readonly #limits: MessageCacheLimits;
  /** The oldest first. */
  readonly #messages = new Map<string, CachedMessage<P>>();
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

  /** When `expire` has something to forget; Infinity: never. */
  get due(): number {
    for (const { at } of this.#messages.values()) return at + this.#limits.cacheTime;
    return Number.POSITIVE_INFINITY;
  }

  get(key: string): CachedMessage<P> | undefined {
    return this.#messages.get(key);
  }

  /** Of those that are kept, the `count` newest, the oldest of them first. */
  newest(count: number): CachedMessage<P>[] {
    const all = [...this.#messages.values()];
    return all.slice(Math.max(0, all.length - count));
  }

  /** Keeps it. @returns how many went before their time. */
  add(key: string, push: Push<P>, from: string | undefined, now: number): number {
    this.#messages.set(key, { push, from, at: now });
    this.#bytes += push.size;
    let evicted = 0;
    for (const [oldest, message] of this.#messages) {
      if (this.#messages.size === 1 || (this.#messages.size <= this.#limits.cacheMessages && this.#bytes <= this.#limits.cacheBytes)) break;
      this.#remove(oldest, message);
      evicted++;
    }
    return evicted;
  }

  /** Forgets what is over. */
  expire(now: number): void {
    for (const [key, message] of this.#messages) {
      if (now - message.at < this.#limits.cacheTime) return;
      this.#remove(key, message);
    }
  }

  #remove(key: string, { push }: CachedMessage<P>): void {
    this.#messages.delete(key);
    this.#bytes -= push.size;
  }
}
