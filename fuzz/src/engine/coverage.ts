// Which edges an input ran through, and how often: each edge and order of magnitude that no input
// had before is news.

/**
 * Counters of one module for each call, side by side in one memory, so that all are cleared and
 * read at once.
 */
export class Coverage {
  readonly #counters = new Uint8ClampedArray(MOST_EDGES);
  readonly #words = new Uint32Array(this.#counters.buffer);
  /** Of each edge the orders of magnitude that were seen, a bit each. */
  readonly #seen = new Uint8Array(MOST_EDGES);
  #edges = 0;
  /** Edges that an input ran through. */
  covered = 0;

  /** Counters in all. */
  get edges(): number {
    return this.#edges;
  }

  /** The counters of a module that is being loaded. Each begins at a word of its own. */
  module(edges: number): Uint8ClampedArray {
    const start = this.#edges;
    this.#edges += (edges + 3) & ~3;
    if (this.#edges > MOST_EDGES) throw new RangeError(`the modules have more than ${MOST_EDGES} edges; raise MOST_EDGES`);
    return this.#counters.subarray(start, start + edges);
  }

  /** Forgets the input that ran last. */
  clear(): void {
    this.#counters.fill(0, 0, this.#edges);
  }

  /**
   * How many edges and magnitudes of the input that ran last are news; from now on they are none.
   */
  judge(): number {
    const words = this.#words;
    const counters = this.#counters;
    const seen = this.#seen;
    let news = 0;
    for (let word = 0, end = this.#edges >>> 2; word < end; word++) {
      if (words[word] === 0) continue;
      for (let edge = word * 4; edge < word * 4 + 4; edge++) {
        const bit = MAGNITUDE[counters[edge]!]!;
        const before = seen[edge]!;
        if ((bit & ~before) === 0) continue;
        if (before === 0) this.covered++;
        seen[edge] = before | bit;
        news++;
      }
    }
    return news;
  }

  /** What the input that ran last ran through: a number for each edge and magnitude. */
  features(): Uint32Array {
    const features: number[] = [];
    for (let edge = 0; edge < this.#edges; edge++) {
      const count = this.#counters[edge]!;
      if (count > 0) features.push(edge * 8 + Math.clz32(MAGNITUDE[count]!) - 24);
    }
    return Uint32Array.from(features);
  }
}

/**
 * Counts in eight orders of magnitude, as AFL has them: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to
 * 127, and more.
 */
const MAGNITUDE = Uint8Array.from({ length: 256 }, (_, count) => {
  if (count <= 3) return [0, 1, 2, 4][count]!;
  if (count <= 7) return 8;
  if (count <= 15) return 16;
  if (count <= 31) return 32;
  return count <= 127 ? 64 : 128;
});

const MOST_EDGES = 1 << 17;
