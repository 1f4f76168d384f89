// Measures the heap after a collection, and lists what keeps the process alive.

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Returns the bytes in use once nothing is left to collect. */
export async function heapUsed(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    await sleep(20);
    collect();
  }
  return process.memoryUsage().heapUsed;
}

/**
 * Returns the names of the resources that keep the process alive, without the timers of this
 * program.
 */
export function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter(
      (name) =>
        !['Timeout', 'Immediate', 'TTYWrap', 'PipeWrap', 'FSReqCallback', 'CloseReq'].includes(
          name,
        ),
    )
    .sort();
}

/** Waits until no more than `before` is left; returns what is left besides. */
export async function leftOver(before: readonly string[]): Promise<string[]> {
  let left: string[] = [];
  for (let i = 0; i < 300; i++) {
    left = [...handles()];
    for (const name of before) {
      const at = left.indexOf(name);
      if (at >= 0) left.splice(at, 1);
    }
    if (left.length === 0) break;
    await sleep(20);
  }
  return left;
}
