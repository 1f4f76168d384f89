// A mutant: the same code with one thing wrong, on its way from the disk into one process.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One text takes the place of another in a compiled file. */
export interface Edit {
  /** Below the root of the repository. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  /** What is wrong, in words. */
  readonly name: string;
  /** More than one where the first alone changes nothing. */
  readonly edits: readonly Edit[];
  /** Which scenario shows it: Raft's, or that of plain calls. Default: raft. */
  readonly scenario?: 'raft' | 'calls' | undefined;
  /** What goes wrong in Raft's. Default: the swarm, and a nemesis that knows who leads, in turn. */
  readonly trouble?: 'torment' | 'blackouts' | 'figure 8' | 'late messages' | undefined;
  /** Default: message. */
  readonly level?: 'message' | 'stream' | undefined;
}

/** The source with all edits that are for it. @throws Error where one does not fit: the code has changed, and the mutant must follow. */
export function mutated(source: string, url: string, edits: readonly Edit[]): string {
  for (const { file, find, replace } of edits) {
    if (!url.endsWith(`/${file}`)) continue;
    const parts = source.split(find);
    if (parts.length !== 2) throw new Error(`a stale mutant: ${file} has ${parts.length - 1} times: ${find}`);
    source = parts.join(replace);
  }
  return source;
}

/** What is wrong with a mutant before it is tried: undefined, or what does not fit. */
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

/** From dist/sim/testing of this example. */
export const ROOT = new URL('../../../../../', import.meta.url);
