import { createTransport, defineProtocol, inmem, json, type Observer, serve } from 'trunkline';
import { z } from 'zod';

const work = defineProtocol({
  name: 'work',
  methods: { job: { request: json(z.int()), response: json(z.int()) } },
});

const observer: Observer = {
  event: (event) => console.log(event.type),
  count: (counter, amount) => console.log(counter, amount),
};
const backends = [inmem()];
// One call may wait for a handler and one may run: more are refused, and the observer counts them.
const server = createTransport('inmem://worker', {
  protocol: work,
  backends,
  observer,
  limits: { inbound: { calls: 1 } },
});
let finish = () => {};
const finished = new Promise<void>((resolve) => (finish = resolve));
serve(server, { job: async (id) => finished.then(() => id) }, { concurrency: 1 });
await server.listen();

const client = createTransport({ protocol: work, backends });
const results = [1, 2, 3].map((id) =>
  client.send('inmem://worker', 'job', id).catch((error) => error.code),
);
console.log(await Promise.race(results)); // the refusal comes first
finish();
console.log(await Promise.all(results));
await client.close();
await server.close();
