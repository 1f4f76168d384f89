// How many connections one process can hold here.

import { readFileSync } from 'node:fs';

/** @throws TypeError where the server could not have so many files open, saying what to do. */
export function checkFiles(count: number): void {
  const most = mostFiles();
  if (count + OTHERS <= most) return;
  throw new TypeError(`--count: ${count} connections are as many open files, and a process may have ${most} here; raise it (ulimit -Hn) or open fewer`);
}

/** Node raises its own limit to the hard one when it starts. Unknown is no limit. */
function mostFiles(): number {
  try {
    const limit = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What a process has open besides. */
const OTHERS = 100;
