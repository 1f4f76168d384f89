// Collects the messages of a tick in order, so that all messages of a chunk are read before the
// first is processed. The code for reading and the code for delivering each fill about a
// processor's cache; if they alternate, each evicts the other. Doing one after the other takes 0.88
// times as long.

import type { Clock } from '@trunkline/transport-core';
import { ownContext } from '@trunkline/transport-core/internal';

/** Consecutive messages from one peer, and the first of their calls. */
interface Run<P, C> {
  readonly peer: P;
  readonly call: C;
  readonly requests: Uint8Array[];
}

export class Arrivals<P, C> {
  readonly #clock: Pick<Clock, 'defer'>;
  readonly #take: (request: Uint8Array, peer: P, call: C) => void;
  #runs: Run<P, C>[] = [];
  #last: Run<P, C> | undefined = undefined;
  #isDeferred = false;
  /** Runs work in the context of the program that created gossip. */
  readonly #inContext = ownContext.capture();

  /** @param take is called with each message at the end of the tick; it must not throw */
  constructor(clock: Pick<Clock, 'defer'>, take: (request: Uint8Array, peer: P, call: C) => void) {
    this.#clock = clock;
    this.#take = take;
  }

  add(request: Uint8Array, peer: P, call: C): void {
    if (this.#last?.peer === peer) this.#last.requests.push(request);
    else this.#runs.push((this.#last = { peer, call, requests: [request] }));
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#clock.defer(this.#tickOver);
  }

  /** Hands over the collected messages now, because something else arrived after them. */
  flush(): void {
    if (this.#last === undefined) return;
    const runs = this.#runs;
    this.#runs = [];
    this.#last = undefined;
    this.#inContext(() => {
      for (const { peer, call, requests } of runs)
        for (let i = 0; i < requests.length; i++) this.#take(requests[i]!, peer, call);
    });
  }

  readonly #tickOver = (): void => {
    this.#isDeferred = false;
    this.flush();
  };
}
