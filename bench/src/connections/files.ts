// Checks how many connections one process can hold on this machine.

import { readFileSync } from 'node:fs';

/**
 * @throws TypeError if the server could not have so many files open; the message says what to do.
 */
export function checkFiles(count: number): void {
  const most = mostFiles();
  if (count + OTHERS <= most) return;
  throw new TypeError(
    `--count: ${count} connections are as many open files, and a process may have ${most} here; raise it (ulimit -Hn) or open fewer`,
  );
}

/**
 * Returns the limit of open files, which Node raises to the hard limit when it starts. An unknown
 * limit counts as none.
 */
function mostFiles(): number {
  try {
    const limit = /^Max open files\s+\S+\s+(\d+)/m.exec(
      readFileSync('/proc/self/limits', 'utf8'),
    )?.[1];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Files that a process has open besides its connections. */
const OTHERS = 100;
