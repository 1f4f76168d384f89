import { createTransport, defineProtocol, inmem, json } from 'trunkline';
import { createGossip, fullMesh } from 'trunkline/gossip';
import { createPeers } from 'trunkline/peers';
import { z } from 'zod';

const protocol = defineProtocol({ name: 'village', methods: {} });
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
    transport,
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

bob.gossip.topic('rumours', rumour).subscribe((message, meta) => {
  console.log(`bob: ${message.text}`, meta.origin === ada.peers.nodeId, meta.hops);
});
const heard = eve.gossip.topic('rumours', rumour).messages(); // joins, and reads from now on
const rumours = ada.gossip.topic('rumours', rumour);

const { received } = await rumours.publish(
  { about: 'the mill', text: 'it turns by itself' },
  { min: 2 },
); // waits until two have it
console.log(`${received} peers have it`);
for await (const { message } of heard) {
  console.log(`eve: ${message.text}`);
  break; // without it, the loop ends when the gossip closes
}
await Promise.all([ada.close(), bob.close(), eve.close()]);
