// A worker that is also a node of a mesh: with a port, an identity and an address book of its own.

import { createFileAddressBook } from '@trunkline/peers/node';
import { clusterSlot, joinCluster } from '@trunkline/resilience/cluster';
import { loadOrCreateIdentity } from '@trunkline/security/node';
import { bytes, createTransport, defineProtocol, serve, tcp } from 'trunkline';
import { createPeers } from 'trunkline/peers';
import { secured } from 'trunkline/security';

const protocol = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

const [, , folder = '.', firstPort = '7100', seed] = process.argv;
const slot = clusterSlot() ?? 0;
const identity = await loadOrCreateIdentity(`${folder}/node-${slot}.key`);
const transport = createTransport(`tcp://127.0.0.1:${Number(firstPort) + slot}`, {
  protocol,
  backends: [secured(tcp({ reusePort: false }), { identity })],
});
serve(transport, { echo: (request) => request });
await transport.listen();
const peers = createPeers({
  transport,
  identity,
  seeds: seed === undefined ? [] : [seed],
  addressBook: createFileAddressBook(`${folder}/book-${slot}`),
});
await peers.start();
joinCluster(transport, { beforeClose: () => peers.close() });
