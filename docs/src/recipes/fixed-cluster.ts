import { defineProtocol, json, tcp } from 'trunkline';
import { createNode } from 'trunkline/mesh';
import { createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const log = defineProtocol({
  name: 'log',
  methods: { append: { request: json(z.string()), response: json(z.int()) } },
});
const authority = await createAuthority({ name: 'log cluster' });

async function startNode() {
  const identity = createIdentity();
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
  const entries: string[] = [];
  return createNode({
    address: 'tcp://127.0.0.1:0', // in production: a fixed port
    identity,
    protocol: log,
    handlers: { append: (entry) => entries.push(entry) },
    backends: [tcp({ tls })],
    peers: { membership: 'listed' }, // nobody else can be a peer
  });
}
const nodes = [await startNode(), await startNode(), await startNode()];

// In production, this list is in the configuration of each node: peers.persistent.
const targets = nodes.map(({ nodeId, transport }) => `${nodeId}@${transport.advertiseAddr()}`);
for (const [own, { peers }] of nodes.entries())
  peers.setTopology(targets.filter((_, other) => other !== own)); // dialed forever
const leader = nodes[0]!;
await leader.peers.ready({ peers: 2 });

for (const { nodeId } of leader.peers.list())
  console.log(await leader.transport.send(`node:${nodeId}`, 'append', 'x = 1'), 'entry');
for (const node of nodes) await node.close();
