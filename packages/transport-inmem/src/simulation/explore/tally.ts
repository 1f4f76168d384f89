// Which seeds are handed out, and what came of them: the same in the end, however many run at a time and in whichever order they end.

import type { FailedRun } from './failure.ts';
import type { Outcome } from './lab.ts';

export class Tally {
  /** Those that have run. */
  done = 0;
  /** Of these. */
  failed = 0;
  virtualHours = 0;
  readonly #seeds: readonly number[];
  readonly #stopAfter: number;
  readonly #places: ReadonlyMap<number, number>;
  readonly #virtual: number[];
  /** By place, lowest first; those behind the last that counts are dropped. */
  #failures: { readonly place: number; readonly seed: number; readonly run: FailedRun }[] = [];
  #next = 0;

  /** @param seeds in rising order, each once. */
  constructor(seeds: readonly number[], stopAfter: number) {
    this.#seeds = seeds;
    this.#stopAfter = stopAfter;
    this.#places = new Map(seeds.map((seed, place) => [seed, place]));
    this.#virtual = new Array<number>(seeds.length).fill(0);
  }

  /** The next seeds to run, `most` of them at most, in rising order; none once enough have failed. */
  next(most: number): readonly number[] {
    if (this.#failures.length >= this.#stopAfter) return [];
    const seeds = this.#seeds.slice(this.#next, this.#next + most);
    this.#next += seeds.length;
    return seeds;
  }

  add({ seed, virtual, failed }: Outcome): void {
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
   * What counts, once every seed that was handed out has run: all up to the failure after which it stops. What ran beyond, because others
   * ran at that time, is left out.
   */
  result(): { readonly passed: number; readonly failures: readonly { readonly seed: number; readonly run: FailedRun }[]; readonly virtualHours: number } {
    const failures = this.#failures;
    const counted = failures.length >= this.#stopAfter ? failures.at(-1)!.place + 1 : this.#seeds.length;
    const virtual = this.#virtual.slice(0, counted).reduce((sum, each) => sum + each, 0);
    return { passed: counted - failures.length, failures, virtualHours: virtual / HOUR };
  }
}

/** Milliseconds. */
const HOUR = 3_600_000;
