// Picks the cores that the processes of a run are pinned to.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Returns a core for the victim and another for all other processes; undefined if there are fewer
 * than two, or if nothing can pin to them.
 */
export function twoCores(): readonly [string | undefined, string | undefined] {
  try {
    const list =
      /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    const [first, second] = list.split(',').flatMap((range) => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
    });
    if (second !== undefined && spawnSync('taskset', ['-c', first!, 'true']).status === 0)
      return [first, second];
  } catch {
    // This system is not Linux.
  }
  return [undefined, undefined];
}
