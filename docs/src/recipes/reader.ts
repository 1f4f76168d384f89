import { createTransport, defineProtocol, json } from 'trunkline';
import { z } from 'zod';

const queue = defineProtocol({
  name: 'queue',
  methods: { add: { request: json(z.int()), response: json(z.int()) } },
});
const server = createTransport('inmem://queue', { protocol: queue });
await server.listen();

async function run() {
  let sum = 0;
  for await (const rpc of server.consumer('add')) {
    sum += rpc.request;
    rpc.respond(sum);
  }
}
const running = run();

const client = createTransport({ protocol: queue });
const sums = await Promise.all(
  [1, 2, 3].map((number) => client.send('inmem://queue', 'add', number)),
);
console.log(sums);
await client.close();
await server.close(); // ends the loop
await running;
