// How long a process has been on a core, which tells what waiting hides.

import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds that all threads of a process ran, as Linux counts them; undefined elsewhere. */
export function cpuTime(pid: number): number | undefined {
  try {
    let total = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    return total;
  } catch {
    return undefined;
  }
}
