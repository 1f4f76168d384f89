// Decides at which address an order is dialed. A host name that other nodes reported is dialed only
// at the IP addresses to which it resolves and that may be dialed.

import { TransportError } from '@trunkline/transport-core';
import { formatHostPort, reasonError } from '@trunkline/transport-core/backend';
import { splitScheme, withDetails } from '@trunkline/transport-core/internal';
import { type Place, placeOf } from '../address/place.ts';
import type { Node } from './node.ts';
import { isReported, type Order } from './orders-in-progress.ts';

/** An address to dial. */
export interface PlaceToDial {
  readonly address: string;
  /** The IP addresses of its host name, for a transport that keeps the name for TLS. */
  readonly addresses?: readonly string[];
}

type PlacingNode = Pick<Node, 'config' | 'keeper' | 'management' | 'policy'>;

/**
 * Returns where to dial an order. A host name that other nodes reported is looked up, and its
 * addresses are judged like reported ones. The dial uses these addresses, because a second lookup
 * could return others. Rejects if none may be dialed.
 */
export async function placeToDial(order: Order, node: PlacingNode): Promise<PlaceToDial> {
  const { address, nodeId } = order;
  const { config, keeper, management, policy } = node;
  if (policy.isOpen || !isReported(order)) return { address };
  const place = placeOf(address);
  if (place === undefined) throw refused(address, 'it is malformed');
  const source = nodeId === undefined ? undefined : keeper.book.sourceOf(nodeId, place);
  // The book has judged an IP address before it was dialed for the first time.
  if (place.ip !== undefined && source === undefined) return { address };
  const why = policy.refusal(place, source ?? '');
  if (why !== undefined) throw refused(address, `it ${why}`);
  const lookup = config.lookup ?? management.machine?.lookup;
  if (!hasHostName(place) || lookup === undefined || source === 'self') return { address };
  const found = (await find(place, address, lookup)).slice(0, FOUND);
  const addresses = found.filter((ip) => {
    const there = placeOf(formatHostPort(ip, place.port));
    return there?.ip !== undefined && policy.refusal(there, source ?? '') === undefined;
  });
  const [first] = addresses;
  if (first === undefined)
    throw refused(address, `it resolves to ${found.join(', ') || 'nothing'}`);
  if (management.machine !== undefined) return { address, addresses };
  const { scheme, rest } = splitScheme(address);
  const path = /[/?#].*$/u.exec(rest)?.[0] ?? '';
  const prefix = scheme === undefined ? '' : `${scheme}://`;
  return { address: `${prefix}${formatHostPort(first, place.port)}${path}` };
}

/** Returns whether the address has a host name of the network, and not a name of another scheme. */
function hasHostName(place: Place): place is Place & { readonly port: number } {
  const { kind, port, key } = place;
  return kind === 'name' && port !== undefined && /^(?:(?:tcp|wss?):\/\/|(?!.*:\/\/))/.test(key);
}

async function find(
  { host }: Place,
  target: string,
  lookup: (host: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  try {
    return await lookup(host);
  } catch (error) {
    throw error instanceof TransportError
      ? withDetails(error, { target })
      : reasonError('host_not_found', `Cannot look up ${host}: ${String(error)}`, {
          target,
          cause: error,
        });
  }
}

function refused(address: string, why: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot dial ${address}, which a peer reported (see the option 'addresses' of createPeers): ${why}`,
    { target: address, sent: false },
  );
}

/** Maximum number of addresses of one name that are checked. */
const FOUND = 16;
