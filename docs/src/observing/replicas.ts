import { type AllowCall, createTransport, defineProtocol, inmem, json, serve } from 'trunkline';
import { z } from 'zod';

const shop = defineProtocol({
  name: 'shop',
  version: 1,
  channel: 0x20,
  methods: { price: { id: 1, request: json(z.string()), response: json(z.int()) } },
});
const replication = defineProtocol({
  name: 'replication',
  version: 1,
  channel: 0x21,
  methods: { append: { id: 1, request: json(z.string()), response: json(z.boolean()) } },
});

// With TLS or noise, compare `remote.nodeId`, which the peer proves. Here a field of the hello
// stands for it, which proves nothing.
const replicas = new Set(['replica-1', 'replica-2']);
const onlyReplicas: AllowCall = (remote) => replicas.has(remote.hello['name'] ?? '');

const backends = [inmem()];
const server = createTransport('inmem://shop', { protocol: shop, backends });
serve(server, { price: () => 3 }); // everybody may ask, pages included
serve(server.mount(replication, { allow: onlyReplicas }), { append: () => true });
await server.listen();

for (const name of ['replica-2', 'a page']) {
  const client = createTransport({ protocol: shop, backends, hello: { name } });
  const log = client.mount(replication);
  const price = await client.send('inmem://shop', 'price', 'tea');
  const appended = await log
    .send('inmem://shop', 'append', 'sold: tea')
    .catch((error) => `${error.code}, ${error.reason}`);
  console.log(`${name}: ${price}, ${appended}`);
  await client.close();
}
await server.close();
