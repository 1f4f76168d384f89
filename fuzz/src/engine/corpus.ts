// The inputs worth mutating: each ran through a new edge, or through an edge a new number of times.
// On disk, a corpus is a file with one input a line, in base64, the smallest first.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Random } from '@trunkline/transport-core';

export interface Entry {
  readonly input: Uint8Array;
  /** The features that the input covers; empty if coverage is not measured. */
  readonly features: Uint32Array;
}

export class Corpus {
  readonly #entries: Entry[] = [];
  #bytes = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** The total size of all inputs in bytes. */
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

  /**
   * Picks one of all inputs or, half of the time, one of the newest, because the newest inputs lead
   * to new ones most often.
   */
  pick(random: Random): Uint8Array {
    const from = random() < 0.5 ? 0 : Math.max(0, this.#entries.length - NEWEST);
    return (
      this.#entries[from + Math.floor(random() * (this.#entries.length - from))]?.input ?? NOTHING
    );
  }
}

/**
 * Returns the fewest inputs, smallest first, that together cover everything the corpus does, within
 * `budget` bytes. The inputs that cover most for their size are picked first.
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

/** Returns the bytes of an input in a corpus file: in base64, on a line. */
function sizeOf(input: Uint8Array): number {
  return Math.ceil(input.length / 3) * 4 + 1;
}

/** Returns the inputs in a target's file; none if there is no file. */
export function readCorpus(name: string): Uint8Array[] {
  const path = pathOf(name);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => new Uint8Array(Buffer.from(line, 'base64')));
}

/** Replaces a target's file. */
export function writeCorpus(name: string, inputs: readonly Uint8Array[]): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(
    pathOf(name),
    inputs.map((input) => `${Buffer.from(input).toString('base64')}\n`).join(''),
  );
}

function pathOf(name: string): string {
  return `${FOLDER}/${name}.txt`;
}

const NOTHING = new Uint8Array(0);
const NEWEST = 32;
/** The cost of an input besides its bytes. */
const LINE = 8;
/** The `corpus` folder beside `dist`. */
const FOLDER = fileURLToPath(new URL('../../corpus', import.meta.url));
