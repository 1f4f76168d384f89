import { defineProtocol, json } from 'trunkline';
import { createNode } from 'trunkline/mesh';
import { createIdentity } from 'trunkline/security';
import { z } from 'zod';

const text = json(z.string());
const protocol = defineProtocol({
  name: 'orders',
  methods: { place: { request: text, response: text } },
});

const start = (seeds: string[]) =>
  createNode({
    address: 'tcp://127.0.0.1:0',
    identity: createIdentity(), // connections are encrypted with noise
    protocol,
    handlers: { place: (item) => `${item} ordered` },
    peers: { seeds },
    gossip: { topics: { news: text } }, // over `partialView()`
  });

const ada = await start([]);
const bob = await start([`${ada.nodeId}@${ada.transport.localAddr()}`]);
console.log(await bob.transport.send(`node:${ada.nodeId}`, 'place', 'apples'));
await ada.topics.news.publish('apples packed', { min: 1 }); // waits until one node has it
for await (const { message } of bob.topics.news) {
  console.log(message);
  break;
}
await Promise.all([ada.close(), bob.close()]);
