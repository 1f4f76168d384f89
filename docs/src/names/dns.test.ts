// Runs the example of DNS with a name server that knows one name.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import test from 'ava';
import { decode, encode } from 'dns-packet';
import { bytes, createTransport, defineProtocol, serve, tcp } from 'trunkline';
import { place, shop } from './dns.ts';

const orders = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: { place: { id: 1, request: bytes, response: bytes } },
});

test('an order reaches the instance that DNS names', async (t) => {
  const names = createSocket('udp4');
  names.on('message', (message, from) => {
    const { id, questions } = decode(message);
    const [{ type, name }] = questions as [{ type: string; name: string }];
    const isOrders = type === 'A' && name === 'orders.prod.svc.cluster.local';
    const answers = isOrders ? [{ type: 'A', name, ttl: 5, data: '127.0.0.1' } as const] : [];
    names.send(encode({ type: 'response', id, questions, answers }), from.port, from.address);
  });
  names.bind(0, '127.0.0.1');
  await once(names, 'listening');
  const server = createTransport('tcp://127.0.0.1:0', { protocol: orders, backends: [tcp()] });
  serve(server, { place: (order) => order });
  const client = shop([`127.0.0.1:${names.address().port}`]);
  t.teardown(async () => {
    await client.close();
    await server.close();
    names.close();
  });
  await server.listen();
  const target = `dns:///orders.prod.svc.cluster.local:${server.localAddr().split(':').at(-1)}`;
  t.deepEqual(await place(new Uint8Array([7]), client, target), new Uint8Array([7]));
});
