// Peers whose connection was lost by chance. They are preferred to unknown nodes for three tries,
// and stay on the list until they are given up.

/**
 * A list of lost peers. Holds at most 64 peers; beyond that, the oldest is removed, and only the
 * address book can pick it again.
 */
export class ReconnectList<DialCandidate> {
  readonly #entries = new Map<string, { readonly candidate: DialCandidate; tries: number }>();

  add(key: string, candidate: DialCandidate): void {
    this.#entries.delete(key);
    this.#entries.set(key, { candidate, tries: 0 });
    if (this.#entries.size > MOST_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
  }

  /** Records another failed try. */
  failed(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.tries++;
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  /**
   * Returns the first candidate for which `isFit` returns true and that has failed fewer than
   * `most` times. Removes candidates for which `isOver` returns true.
   */
  pick(
    isOver: (candidate: DialCandidate) => boolean,
    isFit: (candidate: DialCandidate) => boolean,
    most: number = MOST_TRIES,
  ): DialCandidate | undefined {
    for (const [key, { candidate, tries }] of this.#entries) {
      if (isOver(candidate)) this.#entries.delete(key);
      else if (tries < most && isFit(candidate)) return candidate;
    }
    return undefined;
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  get size(): number {
    return this.#entries.size;
  }
}

const MOST_ENTRIES = 64;
const MOST_TRIES = 3;
