import { nats } from '@trunkline/transport-nats';
import { createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const servers = process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222';
const orders = defineProtocol({
  name: 'orders',
  methods: {
    place: { request: json(z.object({ item: z.string() })), response: json(z.string()) },
  },
});

const backends = [nats({ servers })];
const service = createTransport('nats://broker/orders', { protocol: orders, backends });
serve(service, { place: ({ item }) => `${item} ordered` });
await service.listen(); // a call reaches one of the nodes that listen under this name

const client = createTransport({ protocol: orders, backends });
const order = { item: 'apples' };
console.log(await client.send('nats://broker/orders', 'place', order, { timeout: 5_000 }));
await client.close();
await service.close();
