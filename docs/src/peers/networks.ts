import { createFileAddressBook } from '@trunkline/peers/node';
import type { AnyTransport } from 'trunkline';
import { createPeers, type Peers } from 'trunkline/peers';

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
    addressBook: createFileAddressBook(path),
  });
  return open;
}

/** A network whose nodes dial private addresses, although they see each other at public ones. */
export function joinedNetwork(transport: AnyTransport, seeds: string[]) {
  const joined = createPeers({ transport, seeds, addresses: { allow: ['10.0.0.0/8'] } });
  return joined;
}

/** Admits more peers, and keeps places for some nodes whose addresses no one is told. */
export function favor(peers: Peers, validators: string[]) {
  peers.update({ maxInbound: 200, unconditional: validators, privateIds: validators });
}

/** Prints the address book. */
export function print(peers: Peers) {
  for (const { nodeId, address, tried, failures } of peers.book())
    console.log(nodeId, address, tried ? 'reached' : 'reported', failures);
}
