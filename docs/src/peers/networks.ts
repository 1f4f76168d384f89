import { createFileAddressBook, systemLookup } from '@trunkline/peers/node';
import type { AnyTransport } from 'trunkline';
import { createPeers } from 'trunkline/peers';

/** A cluster whose members all know each other by name. */
export function fixedCluster(
  transport: AnyTransport,
  identity: { nodeId: string },
  others: string[],
) {
  const fixed = createPeers({
    transport,
    identity,
    persistent: others,
    maxOutbound: 0,
    exchange: { enabled: false },
  });
  return fixed;
}

/** A cluster of named members that admits nobody else. */
export function closedCluster(
  transport: AnyTransport,
  identity: { nodeId: string },
  others: string[],
) {
  const closed = createPeers({ transport, identity, persistent: others, membership: 'listed' });
  return closed;
}

/** A network that anybody may join. */
export function openNetwork(transport: AnyTransport, seeds: string[], path: string) {
  const open = createPeers({
    transport,
    seeds,
    addresses: 'public',
    lookup: systemLookup,
    addressBook: createFileAddressBook(path),
  });
  return open;
}
