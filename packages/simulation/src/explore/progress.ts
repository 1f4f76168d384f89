// The progress of a worker's runs, in memory that the watchdog in another thread can read even while
// the worker hangs. A worker process publishes each change instead.

/** A point of a run. */
export interface Position {
  readonly seed: number;
  /** Number of turns so far: events, deferred callbacks, and returns to the scenario. */
  readonly turns: number;
  /** The virtual time in milliseconds. */
  readonly at: number;
}

/** Counts turns; its owner writes it, and other threads with the same memory read it. */
export class Progress {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #publish: ((bytes: Uint8Array) => void) | undefined;

  /**
   * @param memory the memory of another Progress, which this one then shares.
   * @param publish called with the content of the memory after each change.
   */
  constructor(
    memory = new SharedArrayBuffer(4 * Float64Array.BYTES_PER_ELEMENT),
    publish?: (bytes: Uint8Array) => void,
  ) {
    this.memory = memory;
    this.#numbers = new Float64Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.#publish = publish;
  }

  /** A number that grows with each turn and each run. */
  get count(): number {
    return this.#numbers[COUNT]!;
  }

  /** The point that the latest run has reached; undefined before the first run. */
  get position(): Position | undefined {
    const [count, seed, turns, at] = this.#numbers as unknown as [number, number, number, number];
    return count === 0 ? undefined : { seed, turns, at };
  }

  begin(seed: number): void {
    this.#numbers[COUNT]!++;
    this.#numbers[SEED] = seed;
    this.#numbers[TURNS] = 0;
    this.#numbers[AT] = 0;
    this.#publish?.(this.#bytes);
  }

  /** Counts a turn. Returns the number of turns in this run. */
  turn(at: number): number {
    this.#numbers[COUNT]!++;
    this.#numbers[AT] = at;
    const turns = ++this.#numbers[TURNS]!;
    this.#publish?.(this.#bytes);
    return turns;
  }
}

const COUNT = 0;
const SEED = 1;
const TURNS = 2;
const AT = 3;
