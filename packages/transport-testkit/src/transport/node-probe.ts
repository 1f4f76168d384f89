// A Probe of Node, made of its `process`: the kit itself runs anywhere.

import type { Probe } from './backend.ts';

/** What is used of Node's `process`. */
export interface NodeProcess {
  getActiveResourcesInfo(): string[];
  memoryUsage(): { heapUsed: number };
  getBuiltinModule?(name: string): unknown;
}

/** What Node says of itself: `nodeProbe(process)`. */
export function nodeProbe(process: NodeProcess): Probe {
  return { resources: () => process.getActiveResourcesInfo(), heapUsed: () => process.memoryUsage().heapUsed, collect: collector(process) };
}

/** The garbage collector, without `--expose-gc`, which a worker thread can't be given. */
function collector(process: NodeProcess): (() => void) | undefined {
  const v8 = process.getBuiltinModule?.('node:v8') as { setFlagsFromString(flag: string): void } | undefined;
  const vm = process.getBuiltinModule?.('node:vm') as { runInNewContext(code: string): unknown } | undefined;
  v8?.setFlagsFromString('--expose-gc');
  return vm?.runInNewContext('gc') as (() => void) | undefined;
}
