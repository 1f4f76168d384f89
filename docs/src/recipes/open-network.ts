import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileAddressBook } from '@trunkline/peers/node';
import { loadOrCreateIdentity } from '@trunkline/security/node';
import { defineProtocol, empty, json } from 'trunkline';
import { createNode } from 'trunkline/mesh';
import { z } from 'zod';

const protocol = defineProtocol({
  name: 'weather',
  methods: { last: { request: empty, response: json(z.string()) } },
});
const Report = z.object({ city: z.string().max(100), celsius: z.number() }); // bounded

async function startNode(folder: string, seeds: string[]) {
  const identity = await loadOrCreateIdentity(join(folder, 'node.key')); // the same id after a restart
  return createNode({
    address: 'tcp://127.0.0.1:0',
    identity, // every connection proves a key, and needs no authority
    protocol,
    transport: {
      network: 'weather-1', // keeps nodes of other networks out
      limits: { handshakes: { perSource: 16 } },
    },
    peers: {
      seeds,
      addressBook: createFileAddressBook(join(folder, 'book')),
      // On the internet: addresses: 'public'.
    },
    gossip: {
      signatures: { identity, mode: 'strict' }, // each message is signed by its author
      topics: { reports: json(Report) },
    },
  });
}

const folders = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'weather-'))));
const seed = await startNode(folders[0]!, []);
const node = await startNode(folders[1]!, [`${seed.nodeId}@${seed.transport.advertiseAddr()}`]);
await node.peers.ready();

await node.topics.reports.publish({ city: 'Turin', celsius: 21 }, { min: 1 });
for await (const { message } of seed.topics.reports) {
  console.log(message);
  break;
}
await node.close();
await seed.close();
for (const folder of folders) await rm(folder, { recursive: true });
