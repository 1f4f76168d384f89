// Node's ProcessProbe, built from its `process`; the rest of the kit runs anywhere.

import type { ProcessProbe } from './backend.ts';

/** The part of Node's `process` that is used. */
export interface NodeProcess {
  getActiveResourcesInfo(): string[];
  memoryUsage(): { heapUsed: number };
  getBuiltinModule?(name: string): unknown;
}

/**
 * Returns a ProcessProbe of Node: `nodeProbe(process)`. Sets the flag `--expose-gc` of the process.
 * The probe has no `collect` if the runtime lacks `process.getBuiltinModule`.
 */
export function nodeProbe(process: NodeProcess): ProcessProbe {
  return {
    resources: () => process.getActiveResourcesInfo(),
    heapUsed: () => process.memoryUsage().heapUsed,
    collect: collector(process),
  };
}

/**
 * Returns the garbage collector without the `--expose-gc` option, which is not available to a
 * worker thread.
 */
function collector(process: NodeProcess): (() => void) | undefined {
  const v8 = process.getBuiltinModule?.('node:v8') as
    | { setFlagsFromString(flag: string): void }
    | undefined;
  const vm = process.getBuiltinModule?.('node:vm') as
    | { runInNewContext(code: string): unknown }
    | undefined;
  v8?.setFlagsFromString('--expose-gc');
  return vm?.runInNewContext('gc') as (() => void) | undefined;
}
