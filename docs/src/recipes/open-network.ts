import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGossip, partialView } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { createFileAddressBook } from '@trunkline/peers/node';
import { loadOrCreateIdentity } from '@trunkline/security/node';
import { secured } from '@trunkline/security/noise';
import { createTransport, defineProtocol, json } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { z } from 'zod';

const protocol = defineProtocol({
  name: 'weather',
  version: 1,
  channel: 0x20,
  methods: { last: { id: 1, request: json(z.null()), response: json(z.string()) } },
});
const Report = json(z.object({ city: z.string().max(100), celsius: z.number() })); // bounded

async function startNode(folder: string, seeds: string[]) {
  const identity = await loadOrCreateIdentity(join(folder, 'node.key')); // the same id after a restart
  const transport = createTransport('tcp://127.0.0.1:0', {
    protocol,
    backends: [secured(tcp(), { identity })], // proves the key, and needs no authority
    network: 'weather-1', // keeps nodes of other networks out
    limits: { handshakes: { perSource: 16 } },
  });
  const peers = createPeers({
    transport,
    seeds,
    addressBook: createFileAddressBook(join(folder, 'book')),
    // On the internet: addresses: 'public', lookup: systemLookup.
  });
  const gossip = createGossip({
    transport,
    peers,
    overlay: partialView(),
    signatures: { identity, mode: 'strict' }, // each message is signed by its author
  });
  const reports = gossip.topic('reports', Report);
  await transport.listen();
  await gossip.start();
  await peers.start();
  return {
    peers,
    reports,
    address: `${identity.nodeId}@${transport.advertiseAddr()}`,
    async close() {
      await gossip.close();
      await peers.close();
      await transport.close();
    },
  };
}

const folders = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'weather-'))));
const seed = await startNode(folders[0]!, []);
const node = await startNode(folders[1]!, [seed.address]);
await node.peers.ready();

seed.reports.subscribe((report) => console.log(report));
await node.reports.publish({ city: 'Turin', celsius: 21 }, { min: 1 });
await node.close();
await seed.close();
for (const folder of folders) await rm(folder, { recursive: true });
