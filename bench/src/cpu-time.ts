// Reads how long a process has run on a core, a cost that waiting hides.

import { readdirSync, readFileSync } from 'node:fs';

/**
 * Returns the nanoseconds that all threads of a process ran, as Linux counts them; NaN on other
 * systems.
 */
export function cpuTime(pid: number): number {
  try {
    let total = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`))
      total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    return total;
  } catch {
    return Number.NaN;
  }
}
