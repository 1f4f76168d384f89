// The constants of the dial planner. For persistent peers, which the operator named, only
// `MOST_PERSISTENT` and `LONGEST_SPREAD` apply, and they are never given up.

import { hostOf } from './address-key.ts';
import type { DialKind } from './dial-order.ts';
import type { DialTarget } from './targets.ts';

/**
 * Longest back-off, in milliseconds, of addresses of the book and of seeds. With this value, and
 * including the time of a dial, all nodes are found within a minute after a partition heals.
 */
export const LONGEST_ORDINARY = 30_000;
/** Number of failures in a row after which an address is given up (Tendermint). */
export const MOST_FAILURES = 16;
/** Milliseconds for which an address that was given up is not dialed. */
export const REST = 600_000;
/** Maximum number of persistent peers that are dialed at once; further ones wait. */
export const MOST_PERSISTENT = 64;
/**
 * Milliseconds for which a dial counts as young. Only a few dials may be young at once
 * (`DialQuota`). An older dial is likely to fail, so it no longer holds up the next one.
 */
export const YOUNG = 1_000;
/** Maximum number of seeds that are dialed at once; one answer is enough. */
export const MOST_SEEDS = 2;
/**
 * Maximum number of concurrent redials of peers whose connection broke while enough peers are
 * connected.
 */
export const MOST_AGAIN = 4;
/**
 * Mean milliseconds between two spare dials (see `DialKind`), which the planner varies by 20 %. The
 * value is Bitcoin's EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL.
 */
export const SPARE_PERIOD = 300_000;
/** Minimum milliseconds between two dials that test tried entries for the address book. */
export const TEST_PERIOD = 10_000;
/**
 * Maximum time in milliseconds over which the dials of new persistent peers are spread
 * (Tendermint's 3 s). It is less if three intervals of the reconnect option are shorter.
 */
export const LONGEST_SPREAD = 3_000;

// Limits the dials to nodes that are not persistent peers: the number in progress at once, the
// number of young dials among them, and the number that begin per second.

export interface DialQuotaOptions {
  /** The fields are the options of the same names in `DialPlannerOptions`. */
  readonly concurrent: number;
  readonly young: number;
  readonly rate: number;
}

export class DialQuota {
  readonly #underWay: DialsUnderWay<DialKind>;
  readonly #concurrent: number;
  readonly #young: number;
  readonly #rate: DialRate;

  constructor(underWay: DialsUnderWay<DialKind>, { concurrent, young, rate }: DialQuotaOptions) {
    this.#underWay = underWay;
    this.#concurrent = concurrent;
    this.#young = young;
    this.#rate = new DialRate(rate);
  }

  /**
   * Returns the time at which the next dial may begin; a time that is not in the future means at
   * once. Returns Infinity if a dial in progress must end first.
   */
  readyAt(now: number): number {
    const { total } = this.#underWay;
    const others = total - this.#underWay.of('persistent');
    if (total >= this.#concurrent && others >= Math.max(1, Math.floor(this.#concurrent / 4)))
      return Number.POSITIVE_INFINITY;
    const since = this.#underWay.nthSince(this.#young, 'persistent');
    return since !== undefined && now < since + YOUNG ? since + YOUNG : this.#rate.readyAt;
  }

  /** Records that a dial begins. */
  take(now: number): void {
    this.#rate.take(now);
  }
}

// Limits the number of dials per second.

/**
 * A token bucket, stored as the time at which it will be full (GCRA). Reading changes nothing, so
 * rounding errors don't add up.
 */
export class DialRate {
  readonly #period: number;
  readonly #burst: number;
  #fullAt = Number.NEGATIVE_INFINITY;

  /** @param rate maximum number of dials per second, on average and at once. */
  constructor(rate: number) {
    this.#period = 1_000 / rate;
    this.#burst = (Math.max(1, rate) - 1) * this.#period;
  }

  /** Time at which the next dial may start; it may start at once if that is not in the future. */
  get readyAt(): number {
    return this.#fullAt - this.#burst;
  }

  take(now: number): void {
    this.#fullAt = Math.max(now, this.#fullAt) + this.#period;
  }
}

// The dials in progress: prevents two dials to one address or id, and counts them by kind and by
// host.

export interface DialUnderWay<Kind> {
  readonly kind: Kind;
  /** The canonical address, which identifies the dial. */
  readonly key: string;
  /** Time at which the dial began. */
  readonly since: number;
  /** The id that the other end is expected to have. */
  readonly id: string | undefined;
  /** The target that is dialed; undefined for an address that another node reported. */
  readonly target: DialTarget | undefined;
}

export class DialsUnderWay<Kind extends string> {
  readonly #dials = new Map<string, DialUnderWay<Kind>>();
  readonly #ids = new Set<string>();
  readonly #kinds = new Map<Kind, number>();
  readonly #hosts = new Map<string, number>();

  start(dial: DialUnderWay<Kind>): void {
    this.#dials.set(dial.key, dial);
    if (dial.id !== undefined) this.#ids.add(dial.id);
    this.#count(dial, 1);
  }

  /** Ends a dial. Returns undefined for a dial that has already ended or was never started. */
  end(kind: Kind, key: string): DialUnderWay<Kind> | undefined {
    const dial = this.#dials.get(key);
    if (dial?.kind !== kind) return undefined;
    this.#dials.delete(key);
    if (dial.id !== undefined) this.#ids.delete(dial.id);
    this.#count(dial, -1);
    return dial;
  }

  /** Returns true if this id or this canonical address is being dialed. */
  has(id: string | undefined, key: string): boolean {
    return this.#dials.has(key) || (id !== undefined && this.#ids.has(id));
  }

  /** Returns the number of dials to a host for addresses that other nodes reported. */
  ofHost(host: string): number {
    return this.#hosts.get(host) ?? 0;
  }

  of(...kinds: Kind[]): number {
    return kinds.reduce((sum, kind) => sum + (this.#kinds.get(kind) ?? 0), 0);
  }

  /**
   * Returns the time at which the `count`th youngest dial that is not of kind `except` began, or
   * undefined if there are fewer.
   */
  nthSince(count: number, except: Kind): number | undefined {
    const times: number[] = [];
    for (const { kind, since } of this.#dials.values()) if (kind !== except) times.push(since);
    return times.at(-count);
  }

  get total(): number {
    return this.#dials.size;
  }

  #count({ kind, key, target }: DialUnderWay<Kind>, change: 1 | -1): void {
    this.#kinds.set(kind, this.of(kind) + change);
    if (target !== undefined) return;
    const host = hostOf(key);
    const count = this.ofHost(host) + change;
    if (count === 0) this.#hosts.delete(host);
    else this.#hosts.set(host, count);
  }
}
