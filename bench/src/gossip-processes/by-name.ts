// The adapters that can be measured, by the names of the command line.

import { flood } from './flood.ts';
import type { Kind } from './kind.ts';
import { nats } from './nats.ts';
import { mesh, tree } from './overlays.ts';

const KINDS = { tree, mesh, flood, nats } as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

export function kindOf(name: KindName): Kind {
  return KINDS[name];
}

/**
 * Returns the named adapters; without names, all.
 * @throws TypeError if no adapter has a given name.
 */
export function kindsOf(names: readonly string[]): KindName[] {
  const all = Object.keys(KINDS) as KindName[];
  for (const name of names) {
    if (!all.some((kind) => kind === name))
      throw new TypeError(`--adapter: no adapter is named '${name}'; there are ${all.join(', ')}`);
  }
  return all.filter((kind) => names.length === 0 || names.includes(kind));
}
