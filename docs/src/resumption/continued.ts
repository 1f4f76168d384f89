import { resumable, resume } from '@trunkline/resilience/resumption';
import { faulty } from '@trunkline/transport-testkit';
import { createTransport, defineProtocol, inmem, json, serve } from 'trunkline';
import { z } from 'zod';

const exchange = defineProtocol({
  name: 'exchange',
  version: 1,
  channel: 0x20,
  methods: { follow: { id: 1, request: json(z.int()), download: json(z.int()) } },
});

const memory = inmem();
const server = createTransport('inmem://exchange', { protocol: exchange, backends: [memory] });
serve(server, {
  follow: resumable(server, 'follow', async function* (from) {
    for (let price = from; price < from + 5; price++) yield price;
  }),
});
await server.listen();

const network = faulty(memory); // so that this program can cut its own connection
const client = createTransport({ protocol: exchange, backends: [network] });
for await (const price of await resume(client, 'inmem://exchange', 'follow', 100)) {
  console.log(price);
  if (price === 102) network.cut();
}
await client.close();
await server.close();
