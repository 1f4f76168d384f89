// The limits of what peers may do: token buckets, limits that outlive a connection, and tables that
// drop their oldest entry. Pure. Tested in limits.test.ts.

/**
 * A token bucket, stored as the time at which it will be full (GCRA). Reading changes nothing, so
 * rounding errors don't add up.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #burst: number;
  #fullAt = Number.NEGATIVE_INFINITY;

  /** Allows `most` actions at once, and one more every `interval` milliseconds. */
  constructor(most: number, interval: number) {
    this.#interval = interval;
    this.#burst = (most - 1) * interval;
  }

  /** Time of the next action; it may be taken now if that is not in the future. */
  get readyAt(): number {
    return this.#fullAt - this.#burst;
  }

  /** Counts an action, even one that comes too early. */
  take(now: number): void {
    this.#fullAt = Math.max(now, this.#fullAt) + this.#interval;
  }

  /** Counts an action if it may be taken now. Otherwise returns false. */
  tryTake(now: number): boolean {
    if (this.readyAt > now) return false;
    this.take(now);
    return true;
  }

  /** Returns true if fewer than half of the actions are left that may be taken at once. */
  isScarce(now: number): boolean {
    return 2 * (this.#fullAt - now) > this.#burst + this.#interval;
  }
}

/**
 * The limits of each peer, such as a token bucket. If limits ended with a connection, a peer could
 * evade them by reconnecting. So those of a node that proved its id are kept for a while after its
 * last connection. Those of an asserted id are not kept, because another node may have used them
 * up.
 */
export class PeerLimits<T> {
  readonly #make: () => T;
  readonly #time: number;
  readonly #present = new Map<string, T>();
  /** The limits of nodes that are gone, and the time until which they are kept, oldest first. */
  readonly #absent = new Map<string, { readonly limits: T; readonly until: number }>();

  /**
   * @param make creates the limits of a peer
   * @param time milliseconds for which the limits of an absent node are kept. Must be long enough
   * for these limits to be unused again. The default suffices for `PullRation` and for gossip's
   * `memberLimits`; `PeerExchange` passes its interval.
   */
  constructor(make: () => T, time = 120_000) {
    this.#make = make;
    this.#time = time;
  }

  /** Number of absent nodes whose limits are kept. */
  get size(): number {
    return this.#absent.size;
  }

  /** Returns the limits of a connected peer. They take memory until `gone` is called for it. */
  of(nodeId: string, now: number): T {
    let limits = this.#present.get(nodeId);
    if (limits !== undefined) return limits;
    const kept = this.#absent.get(nodeId);
    this.#absent.delete(nodeId);
    limits = kept !== undefined && now < kept.until ? kept.limits : this.#make();
    this.#present.set(nodeId, limits);
    return limits;
  }

  /** Called when the last connection of a peer has ended; drops limits that are kept no longer. */
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

/** Removes the oldest entry if there are more than `most`. Call it after each added entry. */
export function dropOldest(entries: Map<string, unknown> | Set<string>, most: number): void {
  if (entries.size <= most) return;
  for (const oldest of entries.keys()) return void entries.delete(oldest);
}
