import { connect } from '@nats-io/transport-node';

const servers = process.env.NATS_URL ?? 'nats://127.0.0.1:4222';
const service = await connect({ servers });
service.subscribe('orders.place', {
  queue: 'orders', // one of the subscribers of this queue gets each request
  callback: (_error, message) => message.respond(`${message.json().item} ordered`),
});
await service.flush();

const client = await connect({ servers });
const order = JSON.stringify({ item: 'apples' });
const reply = await client.request('orders.place', order, { timeout: 5_000 });
console.log(reply.string());
await client.close();
await service.close();
