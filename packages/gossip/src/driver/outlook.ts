// A node that has all the neighbours it wants looks beyond them now and then: both parts of a network that fell apart may be content with themselves.

import type { Peers } from '@trunkline/peers';
import type { Clock, Random } from '@trunkline/transport-core';
import { jittered } from '../hyparview/chance.ts';
import type { Dials } from './dials.ts';

export interface OutlookHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly peers: Pick<Peers, 'known'>;
  readonly dials: Dials;
  /** Is it on topics whose overlay knows few of their nodes, and discovery has nothing to do for them? */
  isContent(): boolean;
}

/**
 * One node of the address book is dialled every minute, whichever chance picks. It says which topics it is on, and those get to know it: so when
 * a partial view asks somebody outside of it for a link, it knows nodes of the other part, if there is one. Of all others nothing is kept.
 */
export class Outlook {
  readonly #host: OutlookHost;
  #next: number;

  constructor(host: OutlookHost) {
    this.#host = host;
    this.#next = host.clock.now() + INTERVAL;
  }

  get due(): number {
    return this.#host.isContent() ? this.#next : Number.POSITIVE_INFINITY;
  }

  wake(now: number): void {
    if (now < this.due) return;
    const { random, peers, dials } = this.#host;
    this.#next = now + jittered(INTERVAL, random);
    // Whether anybody is there is the address book's to learn, not ours.
    for (const nodeId of peers.known(1)) dials.seek(nodeId, PATIENCE).catch(() => {});
  }
}

/** Milliseconds between two dials. */
const INTERVAL = 60_000;
/** Milliseconds of one. */
const PATIENCE = 5_000;
