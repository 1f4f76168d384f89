import { createTransport, defineProtocol, empty, inmem, json, serve } from 'trunkline';
import {
  createBalancer,
  createRetries,
  createStaticResolver,
  roundRobin,
} from 'trunkline/resilience';
import { z } from 'zod';

const orders = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: { whoami: { id: 1, request: empty, response: json(z.string()) } },
});

const backends = [inmem()];
const names = ['inmem://a', 'inmem://b', 'inmem://c'];
const servers = names.map((name) => createTransport(name, { protocol: orders, backends }));
for (const server of servers) {
  serve(server, { whoami: () => server.localAddr() });
  await server.listen();
}

const balancer = createBalancer({
  resolve: createStaticResolver({ orders: names }),
  policy: roundRobin(),
});
const retries = createRetries({ methods: { 'orders/whoami': { idempotent: true } } });
const client = createTransport({
  protocol: orders,
  backends,
  interceptors: { client: [retries.interceptor, balancer.interceptor] },
});

const ask = async (times: number) => {
  const answers = new Set<string>();
  for (let n = 0; n < times; n++) answers.add(await client.to('orders').whoami());
  console.log([...answers].sort().join(' '));
};
await ask(6);
await servers[1]!.close(); // no call fails because of it
await ask(6);
for (const { address, status } of balancer.snapshot().names[0]!.addresses)
  console.log(address, status);
console.log(retries.snapshot().retries, 'retry');

await client.close();
balancer.close();
for (const server of servers) await server.close();
