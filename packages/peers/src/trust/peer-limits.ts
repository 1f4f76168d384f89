// Limits that hold for a peer over all its connections. Pure.

/**
 * The limits of each peer, such as a token bucket. If limits ended with a connection, a peer could
 * evade them by reconnecting. So those of a node that proved its id are kept for a while after its
 * last connection. Those of an asserted id are not kept, because another node may have used them
 * up.
 */
export class PeerLimits<T> {
  readonly #make: (now: number) => T;
  readonly #time: number;
  readonly #present = new Map<string, T>();
  /** The limits of nodes that are gone, and the time until which they are kept, oldest first. */
  readonly #absent = new Map<string, { readonly limits: T; readonly until: number }>();

  /**
   * @param make creates the limits of a peer
   * @param time milliseconds for which the limits of an absent node are kept; long enough for all
   * limits of peers and gossip to be unused again
   */
  constructor(make: (now: number) => T, time = 120_000) {
    this.#make = make;
    this.#time = time;
  }

  /** Number of absent nodes whose limits are kept. */
  get size(): number {
    return this.#absent.size;
  }

  /** Returns the limits of a connected peer. */
  of(nodeId: string, now: number): T {
    let limits = this.#present.get(nodeId);
    if (limits !== undefined) return limits;
    const kept = this.#absent.get(nodeId);
    this.#absent.delete(nodeId);
    limits = kept !== undefined && now < kept.until ? kept.limits : this.#make(now);
    this.#present.set(nodeId, limits);
    return limits;
  }

  /** Called when the last connection of a peer has ended. */
  gone(nodeId: string, proven: boolean, now: number): void {
    const limits = this.#present.get(nodeId);
    this.#present.delete(nodeId);
    if (limits !== undefined && proven)
      this.#absent.set(nodeId, { limits, until: now + this.#time });
    for (const [oldest, { until }] of this.#absent) {
      if (until > now && this.#absent.size <= MOST) return;
      this.#absent.delete(oldest);
    }
  }
}

/** Maximum number of absent nodes. */
const MOST = 4_096;
