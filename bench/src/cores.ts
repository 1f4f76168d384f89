// Which cores processes can be pinned to, so that both ends of a measurement don't get into each other's way.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The cores that this process may use, where there are two at least and `taskset` can pin to them; else none. */
export const cores: readonly string[] = findCores();

/** Can each end have a core of its own? */
export function pinned(): boolean {
  return cores.length > 0;
}

function findCores(): string[] {
  let allowed: string[];
  try {
    const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    allowed = list.split(',').flatMap((range) => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
    });
  } catch {
    return [];
  }
  return allowed.length >= 2 && spawnSync('taskset', ['-c', allowed.slice(0, 2).join(','), 'true']).status === 0 ? allowed : [];
}
