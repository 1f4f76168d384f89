// Hands out seeds and collects their outcomes. The result does not depend on the number of seeds
// that run at a time, or on the order in which they finish.

import type { FailedRun } from './failure.ts';
import type { SeedOutcome } from './local-runner.ts';

/** The seeds of a search and their outcomes. */
export class SeedTally {
  /** Number of seeds that have run. */
  done = 0;
  /** Number of seeds that have failed. */
  failed = 0;
  virtualHours = 0;
  readonly #seeds: readonly number[];
  readonly #stopAfter: number;
  readonly #places: ReadonlyMap<number, number>;
  readonly #virtual: number[];
  /**
   * Failures sorted by place, lowest first; failures beyond the last one that counts are dropped.
   */
  #failures: { readonly place: number; readonly seed: number; readonly run: FailedRun }[] = [];
  #next = 0;

  /** @param seeds in ascending order, without duplicates. */
  constructor(seeds: readonly number[], stopAfter: number) {
    this.#seeds = seeds;
    this.#stopAfter = stopAfter;
    this.#places = new Map(seeds.map((seed, place) => [seed, place]));
    this.#virtual = new Array<number>(seeds.length).fill(0);
  }

  /**
   * Returns the next seeds to run in ascending order, at most `most`; returns an empty list once
   * enough seeds have failed.
   */
  next(most: number): readonly number[] {
    if (this.#failures.length >= this.#stopAfter) return [];
    const seeds = this.#seeds.slice(this.#next, this.#next + most);
    this.#next += seeds.length;
    return seeds;
  }

  add({ seed, virtual, failed }: SeedOutcome): void {
    const place = this.#places.get(seed)!;
    this.done++;
    this.virtualHours += virtual / HOUR;
    this.#virtual[place] = virtual;
    if (failed === undefined) return;
    this.failed++;
    this.#failures.push({ place, seed, run: failed });
    this.#failures.sort((a, b) => a.place - b.place);
    if (this.#failures.length > this.#stopAfter) this.#failures.length = this.#stopAfter;
  }

  /**
   * Returns the result. Call it when all seeds that were handed out have been added; those after
   * `stopAfter` failures of the same batch may be missing. It covers all seeds up to the failure at
   * which the search stops. Seeds beyond it, which ran only because of parallel work, are left out.
   */
  result(): {
    readonly passed: number;
    readonly failures: readonly { readonly seed: number; readonly run: FailedRun }[];
    readonly virtualHours: number;
  } {
    const failures = this.#failures;
    const counted =
      failures.length >= this.#stopAfter ? failures.at(-1)!.place + 1 : this.#seeds.length;
    const virtual = this.#virtual.slice(0, counted).reduce((sum, each) => sum + each, 0);
    return { passed: counted - failures.length, failures, virtualHours: virtual / HOUR };
  }
}

/** Milliseconds in an hour. */
const HOUR = 3_600_000;
