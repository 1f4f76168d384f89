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

const folder = await mkdtemp(join(tmpdir(), 'weather-'));
async function startNode(name: string, seeds: string[]) {
  const identity = await loadOrCreateIdentity(join(folder, `${name}.key`));
  return createNode({
    address: 'tcp://127.0.0.1:0',
    identity,
    protocol,
    transport: {
      network: 'weather-1', // keeps nodes of other networks out
      limits: { handshakes: { perSource: 16 } },
    },
    peers: {
      seeds,
      addressBook: createFileAddressBook(join(folder, name)),
      // On the internet: addresses: 'public'.
    },
    gossip: {
      signatures: { identity }, // each message is signed by its author
      topics: { reports: json(Report) },
    },
  });
}

const seed = await startNode('seed', []);
const node = await startNode('node', [`${seed.nodeId}@${seed.transport.advertiseAddr()}`]);
await node.peers.ready();

await node.topics.reports.publish({ city: 'Turin', celsius: 21 }, { min: 1 });
for await (const { message } of seed.topics.reports) {
  console.log(message);
  break;
}
await node.close();
await seed.close();
await rm(folder, { recursive: true });
