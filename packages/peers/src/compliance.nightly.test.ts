// Runs the compliance suite of transports on nodes whose targets are node ids, over TCP.

import process from 'node:process';
import type { AnyTransport, CommonOptions, Protocol } from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { namedTransport } from './node-transport.ts';
import { createPeers } from './peers.ts';

/**
 * The nodes of this process and the last address of each, like a directory that a user maintains.
 */
const directory = new Map<string, { root: AnyTransport | undefined; last: string | undefined }>();

function locate(nodeId: string): string | undefined {
  const node = directory.get(nodeId);
  try {
    if (node?.root !== undefined) node.last = node.root.localAddr();
  } catch {
    // The node does not listen yet.
  }
  return node?.last;
}

let made = 0;

/**
 * Creates a complete node with ids as targets. Closing it also closes its peers.
 *
 * @param address the id of an earlier node, which the new one replaces. Undefined creates a new id.
 */
function whole<P extends Protocol>(
  options: CommonOptions & { protocol: P },
  address: string | undefined,
  wrap = (layer: StreamLayer) => layer,
) {
  const nodeId = address ?? (++made).toString(16).padStart(64, '0');
  const bindAddr = locate(nodeId) ?? '127.0.0.1:0';
  const layer = createTcpStreamLayer({ bindAddr, clock: options.clock });
  // The node advertises its id as its address, because the suite compares addresses with targets.
  // The option refuses it: not a TCP address. The directory maps the id to the real address.
  layer.advertiseAddr = () => nodeId;
  const root = new NetworkTransport<P>({ ...options, stream: wrap(layer) });
  const peers = createPeers({
    transport: root,
    identity: { nodeId },
    maxInbound: 10_000,
    maxOutbound: 0,
    exchange: { enabled: false },
    locate,
  });
  directory.set(nodeId, { root, last: locate(nodeId) });
  const named = namedTransport<P>(root, nodeId);
  const close = async (options?: { readonly grace?: number | undefined }) => {
    locate(nodeId);
    await named.close(options);
    await peers.close();
    const place = directory.get(nodeId);
    if (place !== undefined) place.root = undefined;
  };
  return { ...named, close, [Symbol.asyncDispose]: () => close() };
}

transportSuite(test, {
  name: 'node ids over TCP',
  create: (options, { address, wrap } = {}) => whole(options, address, wrap),
  unreachable: () => 'f'.repeat(64),
  probe: nodeProbe(process),
  skip: {
    'listen on an address that cannot be dialed needs an advertised address':
      'ids are not addresses of a machine',
    'a hello function gets the target when dialing, and undefined when accepting':
      'the function gets the address at which the node is dialed',
    'an advertised address is reported unchanged':
      'the address of a node is its id, whatever its machine advertises',
    'the instance of a peer is the same over all its connections':
      'a connected node is not dialed from the other end, so there is only one connection',
    'an advertised address attracts no calls for another node':
      'a node is reached by its id over the connection that it dialed, which is the purpose of ids',
    'peers on live connections see an address that changes': 'the id of a node never changes',
    'connections reports failed dials and when the next one is due; a refusal ends a hold':
      'a node id is not held: to stay connected to a node, it is added to the peers',
  },
});
