// Tracks which edges an input ran through, and how often. An edge with a new order of magnitude
// counts as news.

/**
 * The counters of all modules side by side in one memory, so that they can be cleared and read at
 * once.
 */
export class Coverage {
  readonly #counters = new Uint8ClampedArray(MOST_EDGES);
  readonly #words = new Uint32Array(this.#counters.buffer);
  /** The orders of magnitude seen for each edge, one bit each. */
  readonly #seen = new Uint8Array(MOST_EDGES);
  #edges = 0;
  /** The number of edges that any input ran through. */
  covered = 0;

  /** The number of counters. */
  get edges(): number {
    return this.#edges;
  }

  /** Returns the counters for a module that is being loaded; they start at a word boundary. */
  module(edges: number): Uint8ClampedArray {
    const start = this.#edges;
    this.#edges += (edges + 3) & ~3;
    if (this.#edges > MOST_EDGES)
      throw new RangeError(`the modules have more than ${MOST_EDGES} edges; raise MOST_EDGES`);
    return this.#counters.subarray(start, start + edges);
  }

  /** Forgets the last input. */
  clear(): void {
    this.#counters.fill(0, 0, this.#edges);
  }

  /** Returns how many edges and magnitudes of the last input are new, and records them. */
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

  /** Returns the features of the last input: a number for each edge and magnitude. */
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
 * Maps counts to eight orders of magnitude, as AFL does: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to
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
