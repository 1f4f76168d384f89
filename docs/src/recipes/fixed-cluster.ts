import { defineProtocol, json, tcp } from 'trunkline';
import { createNode } from 'trunkline/mesh';
import { multicast } from 'trunkline/resilience';
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

// The list that all nodes share: an id and an address for each of them. In production, it is in the
// configuration: peers: { membership: 'listed', persistent: targets }.
const targets = nodes.map(({ nodeId, transport }) => `${nodeId}@${transport.advertiseAddr()}`);
for (const [own, { peers }] of nodes.entries())
  peers.setTopology(targets.filter((_, other) => other !== own)); // dialed forever
const leader = nodes[0]!;
await leader.peers.ready({ peers: 2 });

const others = leader.peers.list().map(({ nodeId }) => `node:${nodeId}`);
let copies = 1; // its own
for await (const { error } of multicast(leader.transport, others, 'append', 'x = 1')) {
  if (error === undefined) copies++;
}
console.log(
  `${copies} copies, ${leader.peers.list().filter(({ proven }) => proven).length} proven peers`,
);
for (const node of nodes) await node.close();
