import { createTransport, defineProtocol, inmem, json, serve } from 'trunkline';
import { createAdmission, createRetries, resilienceMetadata } from 'trunkline/resilience';
import { z } from 'zod';

const orders = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: { pay: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

const backends = [inmem()];
const admission = createAdmission({
  limit: { min: 1, max: 1 },
  queue: { length: 1, interval: 10_000 },
});
const server = createTransport('inmem://orders', {
  protocol: orders,
  backends,
  interceptors: { server: [admission.interceptor] },
});
let pays = () => {};
const untilPaid = new Promise<void>((resolve) => {
  pays = resolve;
});
serve(server, {
  async pay(order) {
    await untilPaid;
    return `${order} is paid`;
  },
});
await server.listen();

const retries = createRetries({ methods: { '*': { attempts: 1 } } });
const client = createTransport({
  protocol: orders,
  backends,
  interceptors: { client: [retries.interceptor] },
});
const pay = (order: string, priority: string) =>
  client
    .send('inmem://orders', 'pay', order, { metadata: { [resilienceMetadata.priority]: priority } })
    .catch((error) => `${order}: ${error.code}, sent: ${error.sent}`);

// One call is handled at a time, and one may wait: the more important one.
const calls = [pay('first', '5'), pay('report', '1'), pay('checkout', '9')];
console.log(await calls[1]);
pays();
console.log(await calls[0]);
console.log(await calls[2]);
await client.close();
await server.close();
