// Where no neighbour helps any more, the address book may: strangers from it are dialled, a few at a time, to see what topics they are on.

import type { Peers } from '@trunkline/peers';
import type { Clock, Random } from '@trunkline/transport-core';
import { jittered } from '../hyparview/chance.ts';
import type { Dials } from './dials.ts';

export interface BookFeedHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly peers: Pick<Peers, 'known'>;
  readonly dials: Dials;
  /** Does it dial whom it needs? */
  readonly overlay: { readonly holds: boolean };
  readonly sessions: ReadonlyMap<string, { readonly overlay: { readonly isHungry: boolean } | undefined }>;
}

/**
 * For all topics together. A node on a topic that is hungry dials 8 strangers after a second, 8 more after 2, and so on, more and more slowly, down
 * to 8 every two minutes; else it dials one a minute, since both parts of a network that fell apart may be content with themselves. Whoever is
 * reached says which topics it is on, and only those get to know it: of all others nothing is kept.
 */
export class BookFeed {
  readonly #host: BookFeedHost;
  #wasHungry = false;
  #delay = FIRST;
  #next: number;

  constructor(host: BookFeedHost) {
    this.#host = host;
    this.#next = host.overlay.holds ? host.clock.now() + host.random() * LEISURELY : Number.POSITIVE_INFINITY;
  }

  get due(): number {
    if (!this.#isOn) return Number.POSITIVE_INFINITY;
    return this.#isHungry && !this.#wasHungry ? Number.NEGATIVE_INFINITY : this.#next;
  }

  wake(now: number): void {
    if (!this.#isOn) return;
    const { random, peers, dials } = this.#host;
    const isHungry = this.#isHungry;
    if (isHungry && !this.#wasHungry) {
      this.#delay = FIRST;
      this.#next = Math.min(this.#next, now + jittered(FIRST, random));
    }
    this.#wasHungry = isHungry;
    if (now < this.#next) return;
    if (isHungry) this.#delay = Math.min(2 * this.#delay, SLOWEST);
    this.#next = now + jittered(isHungry ? this.#delay : LEISURELY, random);
    // Whether anybody is there is the address book's to learn, not ours.
    for (const nodeId of peers.known(isHungry ? AT_ONCE : 1)) dials.reach(nodeId, PATIENCE).catch(() => {});
  }

  get #isOn(): boolean {
    return this.#host.overlay.holds && this.#host.sessions.size > 0;
  }

  get #isHungry(): boolean {
    for (const { overlay } of this.#host.sessions.values()) if (overlay?.isHungry) return true;
    return false;
  }
}

/** Strangers that a hungry node dials at once. */
const AT_ONCE = 8;
/** Milliseconds from hunger to the first of them; then twice as long each time, up to the slowest. */
const FIRST = 1_000;
const SLOWEST = 120_000;
/** Milliseconds between two dials of a node that is content. */
const LEISURELY = 60_000;
/** Milliseconds of a dial. */
const PATIENCE = 5_000;
