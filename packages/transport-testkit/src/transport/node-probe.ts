// A Probe of Node, found through globalThis: the kit itself runs anywhere.

import type { Probe } from './backend.ts';

interface NodeGlobals {
  readonly process?: { getActiveResourcesInfo?(): string[]; memoryUsage?(): { heapUsed: number } };
  readonly gc?: () => void;
}

/** What Node says of itself; undefined elsewhere. The heap is looked at where the process runs with `--expose-gc`. */
export function nodeProbe(): Probe | undefined {
  const { process, gc } = globalThis as NodeGlobals;
  const resources = process?.getActiveResourcesInfo;
  const memory = process?.memoryUsage;
  if (process === undefined || resources === undefined || memory === undefined) return undefined;
  return { resources: () => resources.call(process), heapUsed: () => memory.call(process).heapUsed, collect: gc };
}
