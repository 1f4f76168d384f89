import { createTransport, defineProtocol, drain, inmem, json, serve } from 'trunkline';
import { createPeers } from 'trunkline/peers';
import { z } from 'zod';

const orders = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: { count: { id: 1, request: json(z.string()), response: json(z.number()) } },
});
const backends = [inmem()];

async function node(name: string, services: string[]) {
  const transport = createTransport(`inmem://${name}`, { protocol: orders, backends });
  const peers = createPeers({ transport, services, seeds: name === 'ada' ? [] : ['inmem://ada'] });
  serve(transport, { count: (customer) => customer.length });
  await transport.listen();
  await peers.start();
  return { transport, peers, close: () => peers.close().then(() => transport.close()) };
}

const ada = await node('ada', ['orders']);
const bob = await node('bob', ['orders']);
const shop = await node('shop', []);
await shop.peers.ready({ peers: 2 });
while (shop.peers.services.nodes('orders').length < 2) await shop.transport.clock.sleep(5);

console.log(await shop.transport.send('service:orders', 'count', 'Eve')); // ada or bob

await drain(ada.transport); // new calls go to bob
while (shop.peers.services.nodes('orders').length > 1) await shop.transport.clock.sleep(5);
console.log(await shop.transport.send('service:orders', 'count', 'Mallory'));
console.log(shop.peers.services.nodes('orders').length === 1 ? 'one node serves orders' : '');

await Promise.all([shop.close(), ada.close(), bob.close()]);
