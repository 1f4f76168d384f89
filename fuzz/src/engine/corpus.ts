// Inputs worth changing: each ran through an edge that none before it did, or another number of
// times.

import type { Random } from '@trunkline/transport-core';

export interface Entry {
  readonly input: Uint8Array;
  /** What it ran through; empty where nothing is measured. */
  readonly features: Uint32Array;
}

export class Corpus {
  readonly #entries: Entry[] = [];
  #bytes = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** Bytes of all inputs. */
  get bytes(): number {
    return this.#bytes;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.input.length;
  }

  /** One of all, or as often one of the newest: what was found last leads on most often. */
  pick(random: Random): Uint8Array {
    const from = random() < 0.5 ? 0 : Math.max(0, this.#entries.length - NEWEST);
    return this.#entries[from + Math.floor(random() * (this.#entries.length - from))]?.input ?? NOTHING;
  }
}

/**
 * The fewest inputs, smallest first, that together run through all that the corpus does, as far as
 * `budget` bytes go: what runs through most for its bytes comes first.
 */
export function minimized(entries: readonly Entry[], budget: number): Entry[] {
  const smallestFirst = [...entries].sort((a, b) => a.input.length - b.input.length);
  const covered = new Set<number>();
  const chosen: (Entry & { readonly worth: number })[] = [];
  for (const entry of smallestFirst) {
    const news = entry.features.filter((feature) => !covered.has(feature));
    if (news.length === 0) continue;
    for (const feature of news) covered.add(feature);
    chosen.push({ ...entry, worth: news.length / (entry.input.length + LINE) });
  }
  const kept: Entry[] = [];
  let left = budget;
  for (const entry of chosen.sort((a, b) => b.worth - a.worth)) {
    const size = sizeOf(entry.input);
    if (size > left) continue;
    left -= size;
    kept.push(entry);
  }
  return kept.sort((a, b) => a.input.length - b.input.length);
}

/** Bytes of an input in a corpus file: in base64, on a line. */
function sizeOf(input: Uint8Array): number {
  return Math.ceil(input.length / 3) * 4 + 1;
}

const NOTHING = new Uint8Array(0);
const NEWEST = 32;
/** What an input costs besides its bytes. */
const LINE = 8;
