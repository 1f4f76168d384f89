// A long message on its way through this node: as much of it as is here, for as many as read it, each at its own pace. It is kept once.

export class Cargo {
  readonly bytes: Uint8Array;
  #length: number;
  #error: unknown = undefined;
  readonly #starved = new Set<() => void>();

  /** @param length how much of it is here already. */
  constructor(bytes: Uint8Array, length = 0) {
    this.bytes = bytes;
    this.#length = length;
  }

  /** Bytes that are here. */
  get length(): number {
    return this.#length;
  }

  get isWhole(): boolean {
    return this.#length === this.bytes.length;
  }

  /** Why there comes no more of it. */
  get error(): unknown {
    return this.#error;
  }

  /** False: that is more than there should be. */
  append(chunk: Uint8Array): boolean {
    if (this.#error !== undefined || this.#length + chunk.length > this.bytes.length) return false;
    this.bytes.set(chunk, this.#length);
    this.#length += chunk.length;
    this.#feed();
    return true;
  }

  /** There comes no more of it. Who reads it learns so. */
  fail(error: unknown): void {
    if (this.isWhole || this.#error !== undefined) return;
    this.#error = error;
    this.#feed();
  }

  read(now: () => number): CargoReader {
    return new CargoReader(this, now);
  }

  /** Called once, when there is more, or no more will come. */
  wait(fed: () => void): void {
    this.#starved.add(fed);
  }

  #feed(): void {
    const starved = [...this.#starved];
    this.#starved.clear();
    for (const fed of starved) fed();
  }
}

/** Gives it in chunks, as they are asked for and are here. For one reader. */
export class CargoReader implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #cargo: Cargo;
  readonly #now: () => number;
  #at = 0;
  readonly #begunAt: number;
  #starvedFor = 0;
  #movedAt: number;
  #isStarved = false;
  #isOver = false;

  constructor(cargo: Cargo, now: () => number) {
    this.#cargo = cargo;
    this.#now = now;
    this.#begunAt = this.#movedAt = now();
  }

  /** Bytes that it was given. */
  get length(): number {
    return this.#at;
  }

  /** When it began to be read; later by as long as it was starved. */
  get begunAt(): number {
    return this.#begunAt + this.#starvedFor;
  }

  /** When it was last asked for more; or had more after it had to wait. */
  get movedAt(): number {
    return this.#movedAt;
  }

  /** It is asked for more than is here. */
  get isStarved(): boolean {
    return this.#isStarved;
  }

  /** All of it was given. */
  get isThrough(): boolean {
    return this.#at === this.#cargo.bytes.length;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const cargo = this.#cargo;
    this.#movedAt = this.#now();
    while (!this.#isOver && !this.isThrough) {
      if (this.#at < cargo.length) {
        const from = this.#at;
        this.#at = Math.min(from + CHUNK, cargo.length);
        return { done: false, value: cargo.bytes.subarray(from, this.#at) };
      }
      if (cargo.error !== undefined) throw cargo.error;
      this.#isStarved = true;
      await new Promise<void>((resolve) => cargo.wait(resolve));
      this.#isStarved = false;
      this.#starvedFor += this.#now() - this.#movedAt;
      this.#movedAt = this.#now();
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#isOver = true;
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** Bytes of one item at most. */
const CHUNK = 32 * 1024;
