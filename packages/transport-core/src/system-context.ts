// The async contexts of Node, and of other runtimes that have its AsyncResource. It is the module
// '#context', except in browsers. async-context.test.ts of the package trunkline tests it.

import type { Contexts } from './context.ts';

interface Resource {
  runInAsyncScope<A extends unknown[], T>(work: (...args: A) => T, self: unknown, ...args: A): T;
}
interface ResourceClass {
  new (type: string, options: object): Resource;
  readonly prototype: Resource;
}
declare const process:
  | { getBuiltinModule?(name: string): { readonly AsyncResource: ResourceClass } | undefined }
  | undefined;

const AsyncResource =
  typeof process === 'undefined'
    ? undefined
    : process.getBuiltinModule?.('node:async_hooks')?.AsyncResource;

/** Undefined if the runtime has no async contexts. */
export const contexts: Contexts | undefined = AsyncResource && contextsOf(AsyncResource);

function contextsOf(Resource: ResourceClass): Contexts {
  const capture = () => new Resource('Trunkline', { requireManualDestroy: true });
  const fork = <A extends unknown[]>(work: (...args: A) => void, ...args: A) =>
    capture().runInAsyncScope(work, undefined, ...args);
  // Up to Node 22, AsyncLocalStorage keeps a store as a property of the resource in which the code
  // runs, so each call needs a resource of its own, which takes 5 % of the time of a call between
  // two transports in memory. As long as the program keeps no stores, the calls of a reader share
  // one. Its prototype reports the first store, because the assignment of an unknown property ends
  // there.
  let keepsStores = false;
  const reporting = new Proxy(Resource.prototype, {
    set(_, key, value, resource) {
      keepsStores = true;
      return Reflect.defineProperty(resource, key, { value, writable: true, configurable: true });
    },
  });
  const { runInAsyncScope } = Resource.prototype;
  const shared = () => {
    const resource = capture();
    keepsStores ||= Object.getOwnPropertySymbols(resource).some(isStore);
    return Object.setPrototypeOf(
      resource,
      Object.create(reporting, { runInAsyncScope: { value: runInAsyncScope } }),
    ) as Resource;
  };

  return {
    reader() {
      const [own, common] = [capture(), shared()];
      return (work, a, b, c) => {
        if (keepsStores) own.runInAsyncScope(fork as never, undefined, work, a, b, c);
        else common.runInAsyncScope(work, undefined, a, b, c);
      };
    },
    forItems() {
      const context = capture();
      const run = <T>(work: () => T): T => context.runInAsyncScope(work, undefined);
      const bound = (result: unknown): unknown => {
        if (typeof result !== 'object' || result === null) return result;
        if ('then' in result) return (result as Promise<unknown>).then(bound);
        return Symbol.asyncIterator in result
          ? itemsIn(run, result as AsyncIterable<unknown>)
          : result;
      };
      return bound;
    },
  };
}

function itemsIn(
  run: <T>(work: () => T) => T,
  items: AsyncIterable<unknown>,
): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = run(() => items[Symbol.asyncIterator]());
      return {
        next: () => run(() => iterator.next()),
        return: async () =>
          (await run(() => iterator.return?.())) ?? { value: undefined, done: true },
      };
    },
  };
}

/** True for the property in which a Node up to 22 keeps the store of an AsyncLocalStorage. */
function isStore(key: symbol): boolean {
  return key.description === 'kResourceStore';
}
