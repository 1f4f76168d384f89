// One spelling for each address, and the host in it: what dials, links and back-offs are told apart by.

import { parseHostPort, parseTarget, splitScheme, type TargetAddress } from '@trunkline/transport-core';

/** The canonical address of a target that was read: without its node id. */
export function keyOf({ nodeId, key }: TargetAddress): string {
  return nodeId === undefined ? key : key.slice(nodeId.length + 1);
}

/** The canonical address in '[nodeId@]address'; undefined for what is none. */
export function addressKey(text: string): string | undefined {
  try {
    return keyOf(parseTarget(text));
  } catch {
    return undefined;
  }
}

/** `addressKey` for those who ask for the same ones again and again: it remembers up to 4,096, and begins anew then. */
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

/** The host of a canonical address; all of it but scheme and path where it is written otherwise than 'host:port'. */
export function hostOf(key: string): string {
  const [authority] = /^[^/?#]*/.exec(splitScheme(key).rest)!;
  return parseHostPort(authority)?.host ?? authority;
}

const MOST_KEYS = 4_096;
