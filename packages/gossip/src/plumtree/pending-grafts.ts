// The open promises: peers that gave notice of a message and were asked for it have a limited time
// to send it.

import { DelayQueue } from './delay-queue.ts';

interface PendingGraft {
  readonly peer: string;
  readonly key: string;
}

/**
 * A peer keeps its promise by sending the message, even if another peer was quicker, or by
 * reporting that the message is absent. The number of open promises is bounded; beyond the limit
 * the oldest is forgotten.
 */
export class PendingGrafts {
  readonly #most: number;
  readonly #open: DelayQueue<PendingGraft>;

  /**
   * @param time time limit for keeping a promise, in milliseconds. @param most maximum number of
   * open promises.
   */
  constructor(time: number, most: number) {
    this.#open = new DelayQueue(time);
    this.#most = most;
  }

  get due(): number {
    return this.#open.due;
  }

  get size(): number {
    return this.#open.size;
  }

  /** A peer was asked for a message that it had announced. */
  ask(peer: string, key: string, now: number): void {
    this.#open.set(`${key} ${peer}`, { peer, key }, now);
    if (this.#open.size > this.#most) this.#open.shift();
  }

  /**
   * A peer sent the message, or reported that it is absent. Returns false if there was no such
   * promise.
   */
  keep(peer: string, key: string): boolean {
    return this.#open.size > 0 && this.#open.delete(`${key} ${peer}`);
  }

  /** The peer is gone, and its promises with it. */
  forget(peer: string): void {
    this.#open.drop((promised) => promised.peer === peer);
  }

  /** Removes a promise whose time is over, and returns its peer; undefined if there is none. */
  broken(now: number): string | undefined {
    return this.#open.take(now)?.peer;
  }
}
