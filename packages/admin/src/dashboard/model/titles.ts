// The names under which the page shows nodes.

import type { NetworkState } from '../network-state.ts';
import { shortName } from './format.ts';

/**
 * Returns the title of a node: its own name, with its key if another watched node has the same name.
 * A node without a name, or one that is not watched, has its key.
 */
export function titleOf(network: NetworkState, key: string): string {
  let titles = cache.get(network);
  if (titles === undefined) {
    titles = titlesOf(network);
    cache.set(network, titles);
  }
  return titles.get(key) ?? shortName(key);
}

const cache = new WeakMap<NetworkState, ReadonlyMap<string, string>>();

function titlesOf({ nodes }: NetworkState): ReadonlyMap<string, string> {
  const names = Object.entries(nodes).flatMap(([key, { state }]) => {
    const name = state?.node.name;
    return name === undefined ? [] : [[key, name] as const];
  });
  const counts = new Map<string, number>();
  for (const [, name] of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(
    names.map(([key, name]) => [key, counts.get(name)! > 1 ? `${name} (${shortName(key)})` : name]),
  );
}
