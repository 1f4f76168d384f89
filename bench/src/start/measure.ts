// Fresh processes, one after the other: each round has one of every subject, in an order that turns, so that what drifts hits all alike.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Subject } from './subjects.ts';

/** What one process told. */
export interface Start {
  /** Milliseconds from the start of the process until all was loaded. */
  readonly time: number;
  /** Milliseconds of a processor, of all threads. */
  readonly cpu: number;
  /** Bytes then. */
  readonly rss: number;
  /** Bytes in use of the heap, after GC. */
  readonly heap: number;
}

/** By the name of the subject. */
export type StartRound = ReadonlyMap<string, Start>;

/** @param progress is told what is measured now, and how far it is, from 0 to 1. @throws Error for a process that fails. */
export function measureStarts(subjects: readonly Subject[], runs: number, progress: (what: string, done: number) => void): StartRound[] {
  // What is read for the first time comes from the disk: that is not counted, where anything is.
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
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', CHILD, ...modules], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`a process that loads ${name} failed (exit code ${status}): ${stderr}`);
  return JSON.parse(stdout) as Start;
}

const CHILD = fileURLToPath(new URL('child.js', import.meta.url));
