import { bytes, createTransport, defineProtocol, empty, json, serve } from 'trunkline';
import { z } from 'zod';

const orders = defineProtocol({
  name: 'orders',
  channel: 0x20,
  methods: { count: { request: empty, response: json(z.int()) } },
});
const backups = defineProtocol({
  name: 'backups',
  channel: 0x21,
  priority: 1,
  methods: { save: { request: bytes, response: bytes } },
});

const server = createTransport('inmem://shop', { protocol: orders });
serve(server, { count: () => 3 });
serve(server.mount(backups), { save: (blob) => blob.subarray(0, 1) });
await server.listen();

const client = createTransport({ protocol: orders });
const toBackups = client.mount(backups);
console.log(await client.to('inmem://shop').count());
console.log(await toBackups.send('inmem://shop', 'save', new Uint8Array(100_000)));
console.log(client.remotes().length, 'connection');
await client.close();
await server.close();
