import {
  createTransport,
  defineProtocol,
  empty,
  json,
  type Remote,
  serve,
  TransportError,
} from 'trunkline';
import { z } from 'zod';

const Order = z.object({ item: z.string(), count: z.int().positive() });
const orders = defineProtocol({
  name: 'orders',
  methods: {
    place: { request: json(Order), response: json(z.int()) }, // to the server
    ready: { request: json(z.string()), response: empty }, // to the client
  },
});

const stock = new Map([['tea', 10]]);
const customers = new Set<Remote>();
const server = createTransport('tcp://127.0.0.1:0', { protocol: orders });
serve(server, {
  place({ item, count }, { from }) {
    const left = (stock.get(item) ?? 0) - count;
    if (left < 0) throw new TransportError('failed_precondition', `too little ${item}`);
    stock.set(item, left);
    customers.add(from); // a connection is a target of calls
    return left;
  },
});
await server.listen();

const client = createTransport({ protocol: orders }); // does not listen
serve(client, { ready: (item) => console.log(`${item} is ready`) });
const address = server.advertiseAddr();
const release = client.hold(address); // otherwise it closes after an idle minute
const shop = client.to(address);
const order = { item: 'tea', count: 7 };
console.log(await shop.place(order, { timeout: 2_000 }), 'left');
await shop.place(order).catch(({ code, message }) => console.log(code, message));
for (const customer of customers)
  await server.send(customer, 'ready', 'tea').catch(() => customers.delete(customer)); // gone
release();
await client.close();
await server.close();
