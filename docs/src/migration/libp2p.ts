import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { createGossip, partialView } from 'trunkline/gossip';
import { createPeers } from 'trunkline/peers';
import { createIdentity, secured } from 'trunkline/security';
import { z } from 'zod';

const text = json(z.string());
const orders = defineProtocol({
  name: 'orders',
  methods: { place: { request: text, response: text } },
});

async function start(seeds: string[]) {
  const identity = createIdentity();
  const backends = [secured(tcp(), { identity })];
  const transport = createTransport('tcp://127.0.0.1:0', { protocol: orders, backends });
  const peers = createPeers({ transport, seeds });
  const gossip = createGossip({ transport, peers, overlay: partialView() });
  await transport.listen();
  await gossip.start();
  await peers.start();
  const close = async () => {
    await gossip.close();
    await peers.close();
    await transport.close();
  };
  return { id: identity.nodeId, transport, news: gossip.topic('news', text), close };
}

const ada = await start([]);
serve(ada.transport, { place: (item) => `${item} ordered` });
const bob = await start([`${ada.id}@${ada.transport.localAddr()}`]);
const news = bob.news[Symbol.asyncIterator](); // reads from now on

console.log(await bob.transport.send(`node:${ada.id}`, 'place', 'apples'));
await ada.news.publish('apples packed', { min: 1 }); // waits until one node has it
console.log((await news.next()).value?.message);
await Promise.all([ada.close(), bob.close()]);
