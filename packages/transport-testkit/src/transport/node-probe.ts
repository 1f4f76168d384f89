// A Probe of Node, found through globalThis: the kit itself runs anywhere.

import type { Probe } from './backend.ts';

interface NodeProcess {
  getActiveResourcesInfo(): string[];
  memoryUsage(): { heapUsed: number };
  getBuiltinModule?(name: 'node:v8'): { setFlagsFromString(flag: string): void };
  getBuiltinModule?(name: 'node:vm'): { runInNewContext(code: string): () => void };
}

/** What Node says of itself; undefined elsewhere. */
export function nodeProbe(): Probe | undefined {
  const { process, gc } = globalThis as { process?: Partial<NodeProcess>; gc?: () => void };
  if (process?.getActiveResourcesInfo === undefined || process.memoryUsage === undefined) return undefined;
  const node = process as NodeProcess;
  return { resources: () => node.getActiveResourcesInfo(), heapUsed: () => node.memoryUsage().heapUsed, collect: gc ?? collector(node) };
}

/** The garbage collector, without `--expose-gc`, which a worker thread can't be given. */
function collector(node: NodeProcess): (() => void) | undefined {
  node.getBuiltinModule?.('node:v8')?.setFlagsFromString('--expose-gc');
  return node.getBuiltinModule?.('node:vm')?.runInNewContext('gc');
}
