import { createPeers } from '@trunkline/peers';
import { createFileAddressBook, systemLookup } from '@trunkline/peers/node';
import type { AnyTransport } from '@trunkline/transport-core';

/** Everybody is known by name. */
export function fixedCluster(transport: AnyTransport, identity: { nodeId: string }, others: string[]) {
  const fixed = createPeers({ transport, identity, persistent: others, maxOutbound: 0, exchange: { enabled: false } });
  return fixed;
}

/** Everybody is known by name, and nobody else is let in. */
export function closedCluster(transport: AnyTransport, identity: { nodeId: string }, others: string[]) {
  const closed = createPeers({ transport, identity, persistent: others, membership: 'listed' });
  return closed;
}

/** Whoever comes. */
export function openNetwork(transport: AnyTransport, seeds: string[], path: string) {
  const open = createPeers({ transport, seeds, addresses: 'public', lookup: systemLookup, addressBook: createFileAddressBook(path) });
  return open;
}
