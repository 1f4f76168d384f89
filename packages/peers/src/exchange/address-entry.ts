// One entry of a list of addresses that a peer sent: whose address, and where to dial.

import { isNodeId, isUnspecified, parseHostPort, parseTarget, splitScheme } from '@trunkline/transport-core';

/** A node and an address of it, as peers tell them to each other. */
export interface AddressEntry {
  /** 64 lower-case hex digits: whom the address must prove to be when it is dialled. */
  readonly nodeId: string;
  /** What is dialled, without a node id before it. */
  readonly address: string;
}

/** The longest address that is taken from a peer, in characters: Tendermint's maxAddressSize. */
export const LONGEST_ADDRESS = 256;

/**
 * Reads an entry as it came from a peer: undefined for anything that is no entry, and for an address that nobody can dial (port 0,
 * no host, 0.0.0.0). Whether it may be dialled (private networks, bans, our own) is for the address book to say. `key` is the same
 * for all spellings of one entry. Other members are ignored: a later version may send more.
 */
export function readAddressEntry(value: unknown): { readonly entry: AddressEntry; readonly key: string } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { nodeId, address } = value as Partial<Record<keyof AddressEntry, unknown>>;
  if (typeof nodeId !== 'string' || !isNodeId(nodeId)) return undefined;
  if (typeof address !== 'string' || address.length > LONGEST_ADDRESS || /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}@]/u.test(address)) return undefined;
  const target = parsed(address);
  if (target === undefined || !isDialable(target.address)) return undefined;
  return { entry: { nodeId, address: target.address }, key: `${nodeId}@${target.key}` };
}

function parsed(address: string): { readonly address: string; readonly key: string } | undefined {
  try {
    return parseTarget(address);
  } catch {
    return undefined;
  }
}

/** What isn't 'host:port' is some other backend's address: it alone knows. */
function isDialable(address: string): boolean {
  const [authority = ''] = splitScheme(address).rest.split(/[/?#]/u, 1);
  const place = parseHostPort(authority);
  return place === undefined || (place.port !== 0 && !isUnspecified(place.host));
}
