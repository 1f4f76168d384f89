// The kinds of connections that can be measured, by the names in the tables.

import { named } from '../named.ts';
import { bareTcp, bareTcpPooled } from './bare-tcp.ts';
import { bareTls } from './bare-tls.ts';
import type { Kind } from './kind.ts';
import { trunklineNoise, trunklineTcp, trunklineTls } from './trunkline.ts';

const KINDS = {
  'bare-tcp': bareTcp,
  'bare-tcp-pooled': bareTcpPooled,
  'trunkline-tcp': trunklineTcp,
  'bare-tls': bareTls,
  'trunkline-tls': trunklineTls,
  'trunkline-noise': trunklineNoise,
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

export function kindOf(name: KindName): Kind {
  return KINDS[name];
}

/** Returns the kind that a kind is compared with; undefined for the bare kinds themselves. */
export function bareOf(name: KindName): KindName | undefined {
  if (name.startsWith('bare')) return undefined;
  return name === 'trunkline-tcp' ? 'bare-tcp' : 'bare-tls';
}

/**
 * Returns the kinds named by `names`, in full or by a prefix; without names, the kinds that are
 * measured by default.
 * @throws TypeError if no kind has a given name.
 */
export function kindsOf(names: readonly string[]): KindName[] {
  if (names.length === 0) return ['bare-tls', 'trunkline-tls'];
  return named(
    'only',
    'kind of connection',
    Object.keys(KINDS) as KindName[],
    (kind) => kind,
    names,
  );
}
