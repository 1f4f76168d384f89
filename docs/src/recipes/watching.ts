import { createTransport, defineProtocol, json, type Observer, serve } from 'trunkline';
import { z } from 'zod';

const work = defineProtocol({
  name: 'work',
  methods: { job: { request: json(z.int()), response: json(z.int()) } },
});

const observer: Observer = {
  event: (event) => console.log(event.type),
  count: (counter, amount) => console.log(counter, amount),
};
// One call may run and one may wait.
const server = createTransport('inmem://worker', {
  protocol: work,
  observer,
  limits: { inbound: { calls: 1 } },
});
let finish = () => {};
const finished = new Promise<void>((resolve) => (finish = resolve));
serve(server, { job: async (id) => finished.then(() => id) }, { concurrency: 1 });
await server.listen();

const client = createTransport({ protocol: work });
const results = [1, 2, 3].map((id) =>
  client.send('inmem://worker', 'job', id).catch((error) => error.code),
);
console.log(await Promise.race(results)); // the refusal comes first
finish();
console.log(await Promise.all(results));
await client.close();
await server.close();
