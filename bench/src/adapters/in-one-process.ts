// A wrapper for adapters whose two ends both run in the client's process: the server's process has
// nothing to do.

import type { Adapter, Caller } from './adapter.ts';

export function inOneProcess(name: string, open: () => Promise<Caller>): Adapter {
  return {
    name,
    serve: async () => ({ address: 'in the process of the client', close: async () => {} }),
    connect: open,
  };
}
