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

/** The host of a canonical address; all of it but scheme and path where it is written otherwise than 'host:port'. */
export function hostOf(key: string): string {
  const [authority] = /^[^/?#]*/.exec(splitScheme(key).rest)!;
  return parseHostPort(authority)?.host ?? authority;
}
