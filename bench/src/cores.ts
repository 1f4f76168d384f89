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
  if (process.platform !== 'linux') return [];
  const status = readFileSync('/proc/self/status', 'utf8');
  const ranges = /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1]?.split(',') ?? [];
  const allowed = ranges.flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
  });
  if (allowed.length < 2) return [];
  return spawnSync('taskset', ['-c', allowed.join(), 'true']).status === 0 ? allowed : [];
}
