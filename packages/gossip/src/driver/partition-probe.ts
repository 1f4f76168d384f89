// Makes a node that has enough neighbors dial other nodes from time to time, because both parts of
// a split network may have full views.

import type { Peers } from '@trunkline/peers';
import type { AnyTransport, Random } from '@trunkline/transport-core';
import { jittered } from '../hyparview/chance.ts';
import type { Dials } from './dials.ts';

/**
 * Dials one random node of the address book every minute. The dialed node reports its topics, and
 * the sessions of those topics are informed about the node. So if the network has split, a partial
 * view knows nodes of the other part when it asks a node outside its views for a link. Nodes that
 * are on no topic of this node are not remembered.
 */
export class PartitionProbe {
  readonly #random: Random;
  readonly #peers: Pick<Peers, 'known'>;
  readonly #dials: Pick<Dials, 'seek'>;
  readonly #isContent: () => boolean;
  #next: number;

  /**
   * @param isContent returns true if this node is on topics whose overlay knows only few of their
   * nodes, and discovery has nothing to do for them
   */
  constructor(
    { clock, random }: Pick<AnyTransport, 'clock' | 'random'>,
    peers: Pick<Peers, 'known'>,
    dials: Pick<Dials, 'seek'>,
    isContent: () => boolean,
  ) {
    this.#random = random;
    this.#peers = peers;
    this.#dials = dials;
    this.#isContent = isContent;
    this.#next = clock.now() + INTERVAL;
  }

  get due(): number {
    return this.#isContent() ? this.#next : Number.POSITIVE_INFINITY;
  }

  wake(now: number): void {
    if (now < this.due) return;
    this.#next = now + jittered(INTERVAL, this.#random);
    // The address book, not this class, records whether the node can be reached.
    for (const nodeId of this.#peers.known(1)) this.#dials.seek(nodeId, PATIENCE).catch(() => {});
  }
}

/** Milliseconds between two dials. */
const INTERVAL = 60_000;
/** Time limit of one dial in milliseconds. */
const PATIENCE = 5_000;
