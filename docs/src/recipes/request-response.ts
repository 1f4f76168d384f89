import { createTransport, defineProtocol, json, serve, TransportError } from 'trunkline';
import { z } from 'zod';

const Order = z.object({ item: z.string(), count: z.int().positive() });
const orders = defineProtocol({
  name: 'orders',
  methods: {
    place: { request: json(Order), response: json(z.object({ left: z.int() })) },
  },
});

const stock = new Map([['tea', 10]]);
const server = createTransport('tcp://127.0.0.1:0', { protocol: orders });
serve(server, {
  place({ item, count }) {
    const left = (stock.get(item) ?? 0) - count;
    if (left < 0)
      throw new TransportError('failed_precondition', `too little ${item}`, {
        metadata: { left: `${stock.get(item) ?? 0}` }, // data for the caller's program
      });
    stock.set(item, left);
    return { left };
  },
});
await server.listen();

const client = createTransport({ protocol: orders });
const shop = client.to(server.advertiseAddr());
console.log(await shop.place({ item: 'tea', count: 7 }, { timeout: 2_000 }));
try {
  await shop.place({ item: 'tea', count: 7 });
} catch (error) {
  if (!(error instanceof TransportError)) throw error;
  console.log(error.code, 'left:', error.metadata?.['left']);
}
await client.close();
await server.close();
