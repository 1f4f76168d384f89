// The canonical spelling of addresses and their hosts. It identifies dials, connections and
// back-offs.

import { parseHostPort, parseTarget, type TargetAddress } from '@trunkline/transport-core/backend';
import { splitScheme } from '@trunkline/transport-core/internal';

/** Returns the canonical address of a parsed target, without its node id. */
export function keyOf({ nodeId, key }: TargetAddress): string {
  return nodeId === undefined ? key : key.slice(nodeId.length + 1);
}

/** Returns the canonical address in '[nodeId@]address', or undefined if it is malformed. */
export function addressKey(text: string): string | undefined {
  try {
    return keyOf(parseTarget(text));
  } catch {
    return undefined;
  }
}

/**
 * A cache of `addressKey` for callers that ask for the same addresses repeatedly. Remembers up to
 * 4,096 addresses and then starts over.
 */
export class AddressKeys {
  readonly #known = new Map<string, string | undefined>();

  of(address: string): string | undefined {
    if (this.#known.has(address)) return this.#known.get(address);
    if (this.#known.size >= MOST_KEYS) this.#known.clear();
    const key = addressKey(address);
    this.#known.set(address, key);
    return key;
  }
}

/**
 * Returns the host of a canonical address. If the address isn't 'host:port', returns all of it
 * except scheme and path.
 */
export function hostOf(key: string): string {
  const [authority] = /^[^/?#]*/.exec(splitScheme(key).rest)!;
  return parseHostPort(authority)?.host ?? authority;
}

const MOST_KEYS = 4_096;
