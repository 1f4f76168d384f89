import { createTransport, defineProtocol, inmem, json, serve } from 'trunkline';
import { createPeers } from 'trunkline/peers';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  version: 1,
  channel: 0x20,
  methods: { say: { id: 1, request: json(z.string()), response: json(z.string()) } },
});
const backends = [inmem()];

async function node(name: string, seeds: string[]) {
  const transport = createTransport(`inmem://${name}`, { protocol: chat, backends });
  const peers = createPeers({ transport, seeds, status: json(z.object({ height: z.int() })) });
  serve(transport, { say: (text) => `${name} heard '${text}'` });
  await transport.listen();
  await peers.start();
  return { transport, peers, close: () => peers.close().then(() => transport.close()) };
}

const ada = await node('ada', []);
const bob = await node('bob', ['inmem://ada']);
await bob.peers.ready(); // one peer is connected
const eve = await node('eve', ['inmem://ada']); // she knows Ada, and learns of Bob from her
await eve.peers.ready({ peers: 2 });

console.log(await eve.transport.send(`node:${bob.peers.nodeId}`, 'say', 'hello')); // by id, wherever he is

bob.peers.status.set({ height: 12 });
for await (const event of eve.peers.events()) {
  if (event.type !== 'status' || event.status === undefined) continue;
  console.log(event.nodeId === bob.peers.nodeId ? 'Bob' : 'somebody', event.status);
  break;
}
await Promise.all([ada.close(), bob.close(), eve.close()]);
