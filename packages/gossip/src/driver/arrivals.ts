// Collects the messages of a tick in order, so that all messages of a chunk are read before the
// first is processed. The code for reading and the code for delivering each fill about a
// processor's cache; if they alternate, each evicts the other. Doing one after the other takes 0.88
// times as long. GossipDriver owns it, and flushes it before it processes a control, view, terms or
// interest message; other calls may overtake pushes of the same tick.

import type { Clock } from '@trunkline/transport-core';
import { ownContext } from '@trunkline/transport-core/internal';

/** Consecutive messages from one peer, and the first of their calls. */
interface Run<P, C> {
  readonly peer: P;
  readonly call: C;
  readonly requests: Uint8Array[];
}

/** Takes a message at the end of its tick, and the time. It must not throw. */
type Take<P, C> = (request: Uint8Array, peer: P, call: C, now: number) => void;

export class Arrivals<P, C> {
  readonly #clock: Pick<Clock, 'defer' | 'now'>;
  readonly #take: Take<P, C>;
  #runs: Run<P, C>[] = [];
  #last: Run<P, C> | undefined = undefined;
  #isDeferred = false;
  /** Runs work in the context of the program that created gossip. */
  readonly #inContext = ownContext.capture();

  constructor(clock: Pick<Clock, 'defer' | 'now'>, take: Take<P, C>) {
    this.#clock = clock;
    this.#take = take;
  }

  /** Collects a message. The caller has limited, by charging for it, how many come in a tick. */
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
    // Reading the clock for each message would cost as much as decoding it.
    const now = this.#clock.now();
    this.#inContext(() => {
      for (const { peer, call, requests } of runs)
        for (let i = 0; i < requests.length; i++) this.#take(requests[i]!, peer, call, now);
    });
  }

  readonly #tickOver = (): void => {
    this.#isDeferred = false;
    this.flush();
  };
}
