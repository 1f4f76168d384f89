// Decides which address is dialed for an order. In public mode, an address that other nodes
// reported is dialed only if it is public, and a reported name is dialed only at a public address
// to which it resolves.

import { TransportError } from '@trunkline/transport-core';
import { formatHostPort, reasonError } from '@trunkline/transport-core/backend';
import { splitScheme, withDetails } from '@trunkline/transport-core/internal';
import { isDialable, placeOf } from '../address/place.ts';
import type { PeersConfig } from '../options.ts';
import { isReported, type Order } from './orders-in-progress.ts';

/**
 * Returns the address to dial for an order. In public mode, looks up a host name that other nodes
 * reported, and returns the first public address found, with the port and path of the name. Never
 * returns such a name: a dialer would look it up again and could get another address.
 */
export async function addressToDial(order: Order, config: PeersConfig): Promise<string> {
  const { address } = order;
  if (config.addresses === 'any' || !isReported(order)) return address;
  const place = placeOf(address);
  if (place === undefined || !isDialable(place, 'public')) throw notPublic(address, 'is none');
  if (place.kind !== 'name') return address;
  const { lookup } = config;
  if (lookup === undefined)
    throw notPublic(
      address,
      "is a host name, and there is no 'lookup' to resolve it; '@trunkline/peers/node' exports systemLookup",
    );
  let found: readonly string[];
  try {
    found = await lookup(place.host);
  } catch (error) {
    throw error instanceof TransportError
      ? withDetails(error, { target: address })
      : reasonError('host_not_found', `Cannot look up ${place.host}: ${String(error)}`, {
          target: address,
          cause: error,
        });
  }
  const { scheme, rest } = splitScheme(address);
  const path = /[/?#].*$/u.exec(rest)?.[0] ?? '';
  for (const ip of found.slice(0, FOUND)) {
    // A name without a port gets port 0, which is not dialable.
    const there = `${scheme === undefined ? '' : `${scheme}://`}${formatHostPort(ip, place.port ?? 0)}${path}`;
    const concrete = placeOf(there);
    // `isDialable` also accepts names, and `lookup` may have returned one.
    if (concrete?.ip !== undefined && isDialable(concrete, 'public')) return there;
  }
  throw notPublic(address, `resolves to ${found.slice(0, FOUND).join(', ') || 'nothing'}`);
}

function notPublic(address: string, why: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot dial ${address}, which a peer reported: only public addresses are dialed, and it ${why}`,
    {
      target: address,
      sent: false,
    },
  );
}

/** Maximum number of addresses of one name that are checked. */
const FOUND = 16;
