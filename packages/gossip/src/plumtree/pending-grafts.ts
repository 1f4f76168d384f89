// The open promises: a peer that gave notice of a message and was asked for the message has a
// limited time to send it.

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

  /** Records that a peer was asked for a message that it had announced. */
  ask(peer: string, key: string, now: number): void {
    this.#open.set(`${key} ${peer}`, { peer, key }, now);
    if (this.#open.size > this.#most) this.#open.shift();
  }

  /**
   * Records that a peer sent the message, or reported that it is absent. Returns false if there was
   * no such promise.
   */
  keep(peer: string, key: string): boolean {
    return this.#open.size > 0 && this.#open.delete(`${key} ${peer}`);
  }

  /** Forgets the promises of a peer that is gone. */
  forget(peer: string): void {
    this.#open.drop((promised) => promised.peer === peer);
  }

  /**
   * Removes a promise whose time is over, and returns the peer that broke it; undefined if there is
   * none.
   */
  broken(now: number): string | undefined {
    return this.#open.take(now)?.peer;
  }
}
