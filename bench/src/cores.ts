// Finds the cores that processes can be pinned to, so that the two ends of a measurement do not
// compete for one.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * The cores that this process may use; empty unless there are at least two and `taskset` can pin to
 * them.
 */
export const cores: readonly string[] = findCores();

function findCores(): string[] {
  let allowed: string[];
  try {
    const list =
      /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    allowed = list.split(',').flatMap((range) => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
    });
  } catch {
    return [];
  }
  return allowed.length >= 2 &&
    spawnSync('taskset', ['-c', allowed.slice(0, 2).join(','), 'true']).status === 0
    ? allowed
    : [];
}
