import { createPeers } from '@trunkline/peers';
import { multicast } from '@trunkline/resilience';
import { createAuthority, createIdentity } from '@trunkline/security';
import { createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { z } from 'zod';

const log = defineProtocol({
  name: 'log',
  version: 1,
  channel: 0x20,
  methods: { append: { id: 1, request: json(z.string()), response: json(z.int()) } },
});

// The configuration that all nodes share: a name, an id and an address for each of them.
const authority = await createAuthority({ name: 'log cluster' });
const identities = [createIdentity(), createIdentity(), createIdentity()];

const transports = await Promise.all(
  identities.map(async (identity) => {
    const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
    const transport = createTransport('tcp://127.0.0.1:0', {
      // in production: a fixed port
      protocol: log,
      backends: [tcp({ tls })],
    });
    await transport.listen();
    return transport;
  }),
);
const targets = identities.map(({ nodeId }, i) => `${nodeId}@${transports[i]!.advertiseAddr()}`);

const nodes = await Promise.all(
  transports.map(async (transport, own) => {
    const peers = createPeers({
      transport,
      persistent: targets.filter((_, other) => other !== own), // dialed forever
      membership: 'listed', // nobody else can be a peer
    });
    const entries: string[] = [];
    serve(transport, { append: (entry) => entries.push(entry) });
    await peers.start();
    return { transport, peers };
  }),
);
const [leader] = nodes;
await leader!.peers.ready({ peers: 2 });

const others = leader!.peers.list().map(({ nodeId }) => `node:${nodeId}`);
let copies = 1; // its own
for await (const { error } of multicast(leader!.transport, others, 'append', 'x = 1')) {
  if (error === undefined) copies++;
}
console.log(
  `${copies} copies, ${leader!.peers.list().filter(({ proven }) => proven).length} proven peers`,
);

for (const { peers } of nodes) await peers.close();
for (const { transport } of nodes) await transport.close();
