import { createTransport, defineProtocol, drain, inmem, json, serve } from 'trunkline';
import { z } from 'zod';

const shop = defineProtocol({
  name: 'shop',
  version: 1,
  channel: 0x20,
  methods: { price: { id: 1, request: json(z.string()), response: json(z.int()) } },
});
const raft = defineProtocol({
  name: 'raft',
  version: 1,
  channel: 0x21,
  methods: { append: { id: 1, request: json(z.string()), response: json(z.boolean()) } },
});

const backends = [inmem()];
const node = createTransport('inmem://node', { protocol: shop, backends });
serve(node, { price: () => 3 });
serve(node.mount(raft, { drains: false }), { append: () => true });
await node.listen();

await drain(node);
const other = createTransport({ protocol: shop, backends });
const price = other.send('inmem://node', 'price', 'tea');
console.log(await price.catch((error) => `${error.code}, ${error.reason}`));
console.log(await other.mount(raft).send('inmem://node', 'append', 'sold: tea'));
await other.close();
await node.close();
