// A resolver that returns lists of addresses which the program provides and may change.

import type { ResolvedAddress, Resolver } from '@trunkline/transport-core';
import type { ResolutionObserver } from '@trunkline/transport-core/backend';

/** A resolver of names that the program itself knows. */
export interface StaticResolver extends Resolver {
  /**
   * Sets the addresses of a known or a new name, and reports them to all watchers before it
   * returns. An empty list means that the name currently has no instance.
   */
  set(name: string, addresses: readonly (string | ResolvedAddress)[]): void;
}

/**
 * Creates a resolver of fixed names: `createStaticResolver({ orders: ['tcp://10.0.0.1:7000'] })`.
 * Other names are dialed as they are.
 */
export function createStaticResolver(
  names: Readonly<Record<string, readonly (string | ResolvedAddress)[]>> = {},
): StaticResolver {
  const resolver = new FixedNames();
  for (const [name, addresses] of Object.entries(names)) resolver.set(name, addresses);
  return resolver;
}

class FixedNames implements StaticResolver {
  readonly #lists = new Map<string, readonly ResolvedAddress[]>();
  readonly #observers = new Map<string, Set<ResolutionObserver>>();

  handles(target: string): boolean {
    return this.#lists.has(target);
  }

  set(name: string, addresses: readonly (string | ResolvedAddress)[]): void {
    const list = addresses.map((each) => (typeof each === 'string' ? { address: each } : each));
    this.#lists.set(name, list);
    for (const observer of [...(this.#observers.get(name) ?? [])]) observer.resolved(list);
  }

  watch(target: string, observer: ResolutionObserver): () => void {
    const observers = this.#observers.get(target) ?? new Set();
    this.#observers.set(target, observers.add(observer));
    // The observer must not be called before `watch` has returned.
    void Promise.resolve().then(() => {
      const list = this.#lists.get(target);
      if (list !== undefined && observers.has(observer)) observer.resolved(list);
    });
    return () => {
      if (observers.delete(observer) && observers.size === 0) this.#observers.delete(target);
    };
  }
}
