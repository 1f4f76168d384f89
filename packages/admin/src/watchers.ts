// The places of the tools that watch a node, and the pace at which new ones get their first state.

import { type Clock, type Remote, TransportError } from '@trunkline/transport-core';
import { sourceOf } from '@trunkline/transport-core/internal';

/** The place of one `watch` or `events` call. */
interface Place {
  readonly tool: string;
  /** Ends the call with an error, or without one if its caller has ended it. */
  end(error?: TransportError): void;
}

/** The calls of all tools that watch a node. */
export class Watchers {
  readonly #most: number;
  /** The oldest come first. */
  readonly #places = new Set<Place>();
  /** The time from which on the next new watcher may get its first state. */
  #next = Number.NEGATIVE_INFINITY;

  /** @param most the largest number of calls at a time. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Passes a stream on while it has a place. If all places are taken, the tool that has the most
   * loses its oldest one, provided that it has at least two more than the caller; otherwise the
   * stream fails with `resource_exhausted`. So does a stream that loses its place, once `open` has
   * ended because the signal that it got was aborted.
   *
   * @param from the caller; undefined for this node itself.
   */
  async *counted<T>(
    from: Remote | undefined,
    signal: AbortSignal,
    open: (signal: AbortSignal) => AsyncGenerator<T, void>,
  ): AsyncGenerator<T, void> {
    const tool = from === undefined ? '' : (from.nodeId ?? sourceOf(from.endpoint));
    if (this.#places.size >= this.#most) this.#makeRoom(tool);
    const own = new AbortController();
    let failure: TransportError | undefined;
    const place: Place = {
      tool,
      end: (error) => {
        failure = error;
        this.#places.delete(place);
        own.abort();
      },
    };
    const ended = () => place.end();
    signal.addEventListener('abort', ended, { once: true });
    this.#places.add(place);
    try {
      if (signal.aborted) return;
      yield* open(own.signal);
      if (failure !== undefined) throw failure;
    } finally {
      signal.removeEventListener('abort', ended);
      this.#places.delete(place);
    }
  }

  /** Resolves when a new watcher may get its first state, or when `signal` aborts. */
  async turn(clock: Clock, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && clock.now() < this.#next)
      await clock.sleep(this.#next - clock.now(), signal).catch(() => {});
    if (!signal.aborted) this.#next = clock.now() + APART;
  }

  #makeRoom(tool: string): void {
    const counts = new Map<string, number>();
    for (const each of this.#places) counts.set(each.tool, (counts.get(each.tool) ?? 0) + 1);
    const most = Math.max(...counts.values());
    if (most < (counts.get(tool) ?? 0) + 2)
      throw exhausted(
        `${this.#most} tools watch this node already; raise the option watchers, or close one`,
      );
    const oldest = [...this.#places].find((each) => counts.get(each.tool) === most)!;
    oldest.end(
      exhausted(
        `all ${this.#most} places of watchers are taken, ${most} of them by this tool, and another tool needs one; raise the option watchers, or open fewer`,
      ),
    );
  }
}

function exhausted(message: string): TransportError {
  return new TransportError('resource_exhausted', message);
}

/**
 * Milliseconds between the first states of two watchers. A first state has everything, so it costs
 * far more than its request.
 */
const APART = 250;
