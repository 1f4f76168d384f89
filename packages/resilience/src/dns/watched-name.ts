// One name that is looked up repeatedly while it is watched: when its records expire, sooner if an
// address has failed, and with a back-off while lookups fail.

import {
  type Clock,
  type ClockTimer,
  type Random,
  type ResolvedAddress,
  TransportError,
} from '@trunkline/transport-core';
import { backgroundTimer, type ResolutionObserver } from '@trunkline/transport-core/backend';
import type { Lookup } from './lookup.ts';

/** Options of a watched name. Times are in milliseconds. */
export interface WatchedNameOptions {
  readonly minTtl: number;
  readonly maxTtl: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Looks the name up; must not throw. Rejects with a TransportError, or the signal's reason. */
  lookUp(signal: AbortSignal): Promise<Lookup>;
}

/** The addresses of one name, and its observers. */
export class WatchedName {
  readonly #options: WatchedNameOptions;
  readonly #observers = new Set<ResolutionObserver>();
  #addresses: readonly ResolvedAddress[] | undefined = undefined;
  /** The failure of the last lookup. */
  #error: TransportError | undefined = undefined;
  #lookup: AbortController | undefined = undefined;
  #timer: ClockTimer | undefined = undefined;
  /** The time of the next lookup. */
  #due = Number.NEGATIVE_INFINITY;
  /** The time at which the last lookup ended. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #delay = FIRST_DELAY;

  constructor(options: WatchedNameOptions) {
    this.#options = options;
  }

  /** True if the name has an observer. */
  get isWatched(): boolean {
    return this.#observers.size > 0;
  }

  /**
   * True while the last result is still valid, so that a new watch needs no lookup. After a
   * failure, it is valid until the next attempt is due.
   */
  get isFresh(): boolean {
    return this.#options.clock.now() < this.#due;
  }

  /** Adds an observer. If the last result is still valid, the observer gets it soon. */
  watch(observer: ResolutionObserver): () => void {
    // A copy, so that an observer that watches twice counts twice.
    const mine: ResolutionObserver = {
      resolved: (addresses) => observer.resolved(addresses),
      failed: (error) => observer.failed(error),
    };
    const isFirst = !this.isWatched;
    this.#observers.add(mine);
    if (isFirst && !this.isFresh) {
      // The last result may be outdated, because nobody watched the name in the meantime.
      this.#addresses = this.#error = undefined;
      this.#begin();
    } else {
      this.#options.clock.defer(() => this.#observers.has(mine) && this.#tell(mine));
      if (isFirst) this.#schedule();
    }
    return () => {
      if (this.#observers.delete(mine) && !this.isWatched) this.#stop();
    };
  }

  /** Looks the name up soon, but at most once in `minTtl`, and not before the end of a back-off. */
  lookUpSoon(): void {
    const { minTtl } = this.#options;
    if (this.#error !== undefined) return;
    this.#due = Math.min(this.#due, this.#lookedAt + minTtl);
    if (this.isWatched) this.#schedule();
  }

  #begin(): void {
    const lookup = new AbortController();
    this.#lookup = lookup;
    this.#options.lookUp(lookup.signal).then(
      (found) => this.#lookup === lookup && this.#found(found),
      (error) => this.#lookup === lookup && this.#failed(error),
    );
  }

  #found({ addresses, ttl }: Lookup): void {
    const { minTtl, maxTtl, clock, random } = this.#options;
    this.#lookup = undefined;
    this.#lookedAt = clock.now();
    this.#delay = FIRST_DELAY;
    const lifetime = Math.max(minTtl, Math.min(ttl * 1_000, maxTtl));
    this.#due = this.#lookedAt + lifetime * (1 + JITTER * random());
    const isNews = this.#error !== undefined || !isSame(this.#addresses, addresses);
    this.#addresses = addresses;
    this.#error = undefined;
    this.#schedule();
    if (isNews) for (const observer of [...this.#observers]) this.#tell(observer);
  }

  #failed(error: unknown): void {
    const { clock, random } = this.#options;
    this.#lookup = undefined;
    this.#lookedAt = clock.now();
    this.#error =
      error instanceof TransportError
        ? error
        : new TransportError('unavailable', `DNS: ${String(error)}`, { cause: error, sent: false });
    this.#due = this.#lookedAt + this.#delay * (1 + JITTER * random());
    this.#delay = Math.min(2 * this.#delay, LONGEST_DELAY);
    this.#schedule();
    for (const observer of [...this.#observers]) observer.failed(this.#error);
  }

  /** Passes the last result to an observer, if there is one. */
  #tell(observer: ResolutionObserver): void {
    if (this.#addresses !== undefined) observer.resolved(this.#addresses);
    if (this.#error !== undefined) observer.failed(this.#error);
  }

  #schedule(): void {
    const { clock } = this.#options;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lookup !== undefined || !this.isWatched) return;
    this.#timer = backgroundTimer(
      clock,
      () => {
        this.#timer = undefined;
        this.#begin();
      },
      Math.max(0, this.#due - clock.now()),
    );
  }

  #stop(): void {
    this.#lookup?.abort(new TransportError('cancelled', 'nobody watches this name any more'));
    this.#lookup = undefined;
    this.#schedule();
  }
}

function isSame(
  before: readonly ResolvedAddress[] | undefined,
  now: readonly ResolvedAddress[],
): boolean {
  const key = (list: readonly ResolvedAddress[]) =>
    list
      .map(({ address, weight, priority }) => `${address} ${weight} ${priority}`)
      .sort()
      .join();
  return before !== undefined && key(before) === key(now);
}

/**
 * The wait, in milliseconds, before a failed lookup is retried for the first time; each further
 * wait is twice as long.
 */
const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;
/**
 * The maximum fraction by which waits are extended at random, so that clients do not all ask at the
 * same time.
 */
const JITTER = 0.1;
