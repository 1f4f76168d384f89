// The dials in progress: prevents two dials to one address or id, and counts them by kind and by
// host.

import { hostOf } from './address-key.ts';
import type { DialTarget } from './dial-target.ts';

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
