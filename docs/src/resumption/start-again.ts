import { resumable, resume, resumptionFailure } from '@trunkline/resilience/resumption';
import { faulty } from '@trunkline/transport-testkit';
import { createTransport, defineProtocol, inmem, json, serve, type Transport } from 'trunkline';
import { z } from 'zod';

const Entry = z.object({ index: z.int(), text: z.string() });
const log = defineProtocol({
  name: 'log',
  version: 1,
  channel: 0x20,
  methods: { follow: { id: 1, request: json(z.int()), download: json(Entry) } },
});

/** Follows a log from an index on, also over restarts of its server. */
async function* follow(client: Transport<typeof log>, target: string, index: number) {
  for (;;) {
    try {
      for await (const entry of await resume(client, target, 'follow', index)) {
        yield entry;
        index = entry.index + 1;
      }
      return;
    } catch (error) {
      const failure = resumptionFailure(error);
      if (failure !== 'gap' && failure !== 'unknown') throw error;
      console.log(`${failure}: follow again from ${index}`); // the log itself has kept everything
    }
  }
}

const memory = inmem();
const entries = ['a', 'b'];
async function start() {
  const server = createTransport('inmem://log', { protocol: log, backends: [memory] });
  serve(server, {
    follow: resumable(server, 'follow', async function* (from, { signal }) {
      for (let index = from; index < 4; index++) {
        while (index >= entries.length) await server.clock.sleep(10, signal);
        yield { index, text: entries[index]! };
      }
    }),
  });
  await server.listen();
  return server;
}

let server = await start();
const network = faulty(memory);
const client = createTransport({ protocol: log, backends: [network] });
for await (const { index, text } of follow(client, 'inmem://log', 0)) {
  console.log(index, text);
  if (index !== 1) continue;
  network.cut();
  await server.close();
  entries.push('c', 'd');
  server = await start(); // a new process knows nothing of the streams of the old one
}
await client.close();
await server.close();
