// Mutants: the compiled code with one bug, applied when a process loads it from disk.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A replacement of one text by another in a compiled file. */
export interface Edit {
  /** The path, relative to the root of the repository. */
  readonly file: string;
  /** The text to replace; the file must contain it exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  /** Describes the bug. */
  readonly name: string;
  /** More than one if the first alone changes nothing. */
  readonly edits: readonly Edit[];
  /** The scenario that shows the bug: Raft's, or that of plain calls. Default: raft. */
  readonly scenario?: 'raft' | 'calls' | undefined;
  /**
   * The faults in Raft's scenario. Default: alternately the swarm, and a nemesis that knows the
   * leader.
   */
  readonly trouble?: 'torment' | 'blackouts' | 'figure 8' | 'late messages' | undefined;
  /** Default: message. */
  readonly level?: 'message' | 'stream' | undefined;
}

/**
 * Applies all edits for this file to its source. @throws Error if one does not fit, because the
 * code has changed and the mutant must follow.
 */
export function mutated(source: string, url: string, edits: readonly Edit[]): string {
  for (const { file, find, replace } of edits) {
    if (!url.endsWith(`/${file}`)) continue;
    const parts = source.split(find);
    if (parts.length !== 2)
      throw new Error(`a stale mutant: ${file} has ${parts.length - 1} times: ${find}`);
    source = parts.join(replace);
  }
  return source;
}

/** Checks that a mutant fits the current code; returns the mismatch, or undefined if it fits. */
export function staleness({ edits }: Mutant): string | undefined {
  for (const file of new Set(edits.map(({ file }) => file))) {
    try {
      const path = fileURLToPath(new URL(file, ROOT));
      mutated(readFileSync(path, 'utf8'), `/${file}`, edits);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

/** The root of the repository, relative to dist/sim/testing of this example. */
export const ROOT = new URL('../../../../../', import.meta.url);
