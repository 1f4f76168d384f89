// Peers whose link was lost by chance: they are preferred to strangers, for a while.

/** At most 64 of them: then the one that waits longest goes, and is left to the address book. */
export class AgainList<Candidate> {
  readonly #entries = new Map<string, { readonly candidate: Candidate; tries: number }>();

  add(key: string, candidate: Candidate): void {
    this.#entries.delete(key);
    this.#entries.set(key, { candidate, tries: 0 });
    if (this.#entries.size > MOST_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
  }

  /** Tried once more, in vain: the third time it goes. */
  failed(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined && ++entry.tries >= MOST_TRIES) this.#entries.delete(key);
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  /** The first of whom `isFit` holds. Those of whom `isOver` holds go. */
  pick(isOver: (candidate: Candidate) => boolean, isFit: (candidate: Candidate) => boolean): Candidate | undefined {
    for (const [key, { candidate }] of this.#entries) {
      if (isOver(candidate)) this.#entries.delete(key);
      else if (isFit(candidate)) return candidate;
    }
    return undefined;
  }

  get size(): number {
    return this.#entries.size;
  }
}

const MOST_ENTRIES = 64;
const MOST_TRIES = 3;
