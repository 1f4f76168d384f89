// Who said to have a message and was asked for it: it has so long to send it.

import { DelayQueue } from './delay-queue.ts';

interface Promised {
  readonly peer: string;
  readonly key: string;
}

/** A promise is kept by sending the message, even where another was quicker, or by saying that it is absent. Bounded: the oldest is forgotten. */
export class Promises {
  readonly #most: number;
  readonly #open: DelayQueue<Promised>;

  /** @param time milliseconds that a peer has. @param most open promises. */
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

  /** The peer was asked. */
  ask(peer: string, key: string, now: number): void {
    this.#open.set(`${key} ${peer}`, { peer, key }, now);
    if (this.#open.size > this.#most) this.#open.shift();
  }

  /** The peer sent it, or withdrew. False: there was no such promise. */
  keep(peer: string, key: string): boolean {
    return this.#open.size > 0 && this.#open.delete(`${key} ${peer}`);
  }

  /** The peer is gone, and its promises with it. */
  forget(peer: string): void {
    this.#open.drop((promised) => promised.peer === peer);
  }

  /** Takes out one that was broken by now: whose it is. */
  broken(now: number): string | undefined {
    return this.#open.take(now)?.peer;
  }
}
