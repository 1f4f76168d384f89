// The parts of `node:async_hooks` that Node keeps for as long as the process runs. Those of a node
// end with it; otherwise they would slow down each later run of a search.

import { AsyncLocalStorage, createHook, type HookCallbacks } from 'node:async_hooks';
import type { DiskAccess } from '../nodes/disk-access.ts';

/** Creates the members of `node:async_hooks` of one life of a node. */
export function virtualAsyncHooks({ whenEnded }: DiskAccess): Record<string, unknown> {
  const Storage = class AsyncLocalStorage<T> extends RealStorage<T> {
    constructor(...args: []) {
      super(...args);
      whenEnded(() => this.disable());
    }
  };
  return {
    AsyncLocalStorage: Storage,
    createHook(callbacks: HookCallbacks) {
      const hook = createHook(callbacks);
      whenEnded(() => hook.disable());
      return hook;
    },
  };
}

const RealStorage = AsyncLocalStorage;
