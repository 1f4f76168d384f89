import { EventEmitter, once } from 'node:events';
import { resumable, resume } from '@trunkline/resilience/resumption';
import { faulty } from '@trunkline/transport-testkit';
import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { z } from 'zod';

const Line = z.object({ number: z.int(), text: z.string() });
const logs = defineProtocol({
  name: 'logs',
  methods: { tail: { request: json(z.int()), download: json(Line) } },
});

const lines = ['started', 'listening'];
const log = new EventEmitter();
function append(text: string) {
  lines.push(text);
  log.emit('line');
}

const server = createTransport('tcp://127.0.0.1:0', { protocol: logs });
serve(server, {
  tail: resumable(server, 'tail', async function* (from, { signal }) {
    for (let number = from; ; number++) {
      while (number >= lines.length) await once(log, 'line', { signal });
      yield { number, text: lines[number]! };
    }
  }),
});
await server.listen();

const network = faulty(tcp());
const client = createTransport({ protocol: logs, backends: [network] });
for await (const { number, text } of await resume(client, server.advertiseAddr(), 'tail', 0)) {
  console.log(number, text);
  if (number === 1) {
    network.cut(); // the reader notices nothing
    append('first visitor');
  }
  if (number === 2) break; // stops reading
}
await client.close();
await server.close();
