import { EventEmitter, once } from 'node:events';
import { resumable, resume } from '@trunkline/resilience/resumption';
import { faulty } from '@trunkline/transport-testkit';
import { createTransport, defineProtocol, inmem, json, serve } from 'trunkline';
import { fullMesh } from 'trunkline/gossip';
import { createNode } from 'trunkline/mesh';
import { z } from 'zod';

const Entry = z.object({ index: z.int(), text: z.string() });
const protocol = defineProtocol({
  name: 'archive',
  methods: { follow: { request: json(z.int()), download: json(Entry) } },
});

const memory = inmem();
const start = (name: string, seeds: string[], onMessage: (text: string) => void) =>
  createNode({
    address: `inmem://${name}`,
    protocol,
    backends: [memory],
    peers: { seeds },
    gossip: { topics: { news: { codec: json(z.string()), onMessage } }, overlay: fullMesh() },
  });

const log: string[] = [];
const added = new EventEmitter();
const archivist = await start('archivist', [], (text) => {
  log.push(text);
  added.emit('entry');
});
const reporter = await start('reporter', ['inmem://archivist'], () => {});
serve(archivist.transport, {
  follow: resumable(archivist.transport, 'follow', async function* (from, { signal }) {
    for (let index = from; ; index++) {
      while (index >= log.length) await once(added, 'entry', { signal });
      yield { index, text: log[index]! };
    }
  }),
});

await reporter.topics.news.publish('the mill turns', { min: 1 });

const network = faulty(memory);
const reader = createTransport({ protocol, backends: [network] }); // in no topic
for await (const { index, text } of await resume(reader, 'inmem://archivist', 'follow', 0)) {
  console.log(index, text);
  if (index === 0) {
    network.cut();
    await reporter.topics.news.publish('the bridge holds', { min: 1 });
  }
  if (index === 1) break;
}
await reader.close();
await reporter.close();
await archivist.close();
