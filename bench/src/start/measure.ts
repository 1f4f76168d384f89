// Measures fresh processes, one after the other: each round has one of every subject, in
// alternating order, so that drift of the machine affects all alike.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Subject } from './subjects.ts';

/** The figures of one process. */
export interface Start {
  /** Milliseconds from the start of the process until everything was loaded. */
  readonly time: number;
  /** CPU time in milliseconds, of all threads. */
  readonly cpu: number;
  /** Bytes of resident memory at that time. */
  readonly rss: number;
  /** Bytes of heap in use, after GC. */
  readonly heap: number;
}

/** The figures by the name of the subject. */
export type StartRound = ReadonlyMap<string, Start>;

/**
 * @param progress receives what is being measured, and how far the run is, from 0 to 1.
 * @throws Error if a process fails.
 */
export function measureStarts(
  subjects: readonly Subject[],
  runs: number,
  progress: (what: string, done: number) => void,
): StartRound[] {
  // Starts every subject once unmeasured, because files that are read for the first time come from
  // the disk.
  if (runs > 1) for (const subject of subjects) startOne(subject);
  const rounds: StartRound[] = [];
  for (let run = 0; run < runs; run++) {
    progress(`process ${run + 1} of ${runs} of each`, run / runs);
    const order = subjects.map((_, at) => subjects[(at + run) % subjects.length]!);
    rounds.push(new Map(order.map((subject) => [subject.name, startOne(subject)])));
  }
  return rounds;
}

function startOne({ name, modules }: Subject): Start {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', CHILD, ...modules],
    { encoding: 'utf8' },
  );
  if (status !== 0)
    throw new Error(`a process that loads ${name} failed (exit code ${status}): ${stderr}`);
  return JSON.parse(stdout) as Start;
}

const CHILD = fileURLToPath(new URL('child.js', import.meta.url));
