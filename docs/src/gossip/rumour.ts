import { createTransport, defineProtocol, inmem, json } from 'trunkline';
import { createGossip, fullMesh } from 'trunkline/gossip';
import { createPeers } from 'trunkline/peers';
import { z } from 'zod';

const protocol = defineProtocol({ name: 'village', version: 1, channel: 0x20, methods: {} });
const backends = [inmem()];
const rumour = json(z.object({ about: z.string(), text: z.string() }));

async function villager(name: string, seeds: string[]) {
  const transport = createTransport(`inmem://${name}`, { protocol, backends });
  const peers = createPeers({ transport, seeds });
  const gossip = createGossip({ transport, peers, overlay: fullMesh() });
  await transport.listen();
  await gossip.start();
  await peers.start();
  return {
    peers,
    gossip,
    close: () =>
      gossip
        .close()
        .then(() => peers.close())
        .then(() => transport.close()),
  };
}

const ada = await villager('ada', []);
const bob = await villager('bob', ['inmem://ada']);
const eve = await villager('eve', ['inmem://ada']);

const heard = [bob, eve].map(({ gossip }) =>
  gossip.topic('rumours', rumour)[Symbol.asyncIterator](),
); // joins, and reads from now on
const rumours = ada.gossip.topic('rumours', rumour);

const { received } = await rumours.publish(
  { about: 'the mill', text: 'it turns by itself' },
  { min: 2 },
); // waits until two have it
console.log(`${received} peers have it`);
for (const reader of heard) {
  const { value } = await reader.next();
  console.log(value?.message.text, value?.meta.origin === ada.peers.nodeId, value?.meta.hops);
}
await Promise.all([ada.close(), bob.close(), eve.close()]);
