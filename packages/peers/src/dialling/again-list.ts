// Peers whose link was lost by chance: they are preferred to strangers three times, and not forgotten before they are given up.

/** At most 64 of them: then the one that waits longest goes, and is left to the address book. */
export class AgainList<Candidate> {
  readonly #entries = new Map<string, { readonly candidate: Candidate; tries: number }>();

  add(key: string, candidate: Candidate): void {
    this.#entries.delete(key);
    this.#entries.set(key, { candidate, tries: 0 });
    if (this.#entries.size > MOST_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
  }

  /** Tried once more, in vain. */
  failed(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.tries++;
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  /** The first of whom `isFit` holds, and that was tried in vain less often than `most`. Those of whom `isOver` holds go. */
  pick(isOver: (candidate: Candidate) => boolean, isFit: (candidate: Candidate) => boolean, most: number = MOST_TRIES): Candidate | undefined {
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
