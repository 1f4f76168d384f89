import { createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const Order = z.object({ item: z.string() });
const orders = defineProtocol({
  name: 'orders',
  methods: {
    place: { request: json(Order), response: json(z.string()) },
    follow: { request: json(Order), download: json(z.string()) },
  },
});

const server = createTransport('tcp://127.0.0.1:0', { protocol: orders });
serve(server, {
  place: ({ item }) => `${item} ordered`,
  async *follow() {
    yield 'packed';
    yield 'sent';
  },
});
await server.listen();

const client = createTransport({ protocol: orders });
const shop = client.to(server.localAddr());
console.log(await shop.place({ item: 'apples' }, { timeout: 5_000 }));
for await (const step of shop.follow({ item: 'apples' })) console.log(step);
await client.close();
await server.close();
