import { resumable, resume } from '@trunkline/resilience/resumption';
import { faulty } from '@trunkline/transport-testkit';
import { createTransport, defineProtocol, inmem, json, serve } from 'trunkline';
import { createGossip, fullMesh } from 'trunkline/gossip';
import { createPeers } from 'trunkline/peers';
import { z } from 'zod';

const news = json(z.string());
const Entry = z.object({ index: z.int(), text: z.string() });
const archive = defineProtocol({
  name: 'archive',
  methods: { follow: { request: json(z.int()), download: json(Entry) } },
});

const memory = inmem();
async function member(name: string, seeds: string[]) {
  const transport = createTransport(`inmem://${name}`, { protocol: archive, backends: [memory] });
  const peers = createPeers({ transport, seeds });
  const gossip = createGossip({ transport, peers, overlay: fullMesh() });
  await transport.listen();
  await gossip.start();
  await peers.start();
  const close = async () => {
    await gossip.close();
    await peers.close();
    await transport.close();
  };
  return { transport, topic: gossip.topic('news', news), close };
}

const archivist = await member('archivist', []);
const reporter = await member('reporter', ['inmem://archivist']);

// The archivist numbers its messages. A real one would bound or store its log.
const log: string[] = [];
let wake = () => {};
let heard = new Promise<void>((resolve) => (wake = resolve));
async function record() {
  for await (const { message } of archivist.topic) {
    log.push(message);
    wake();
    heard = new Promise<void>((resolve) => (wake = resolve));
  }
}
const recording = record();
serve(archivist.transport, {
  follow: resumable(archivist.transport, 'follow', async function* (from) {
    for (let index = from; ; index++) {
      while (index >= log.length) await heard;
      yield { index, text: log[index]! };
    }
  }),
});

await reporter.topic.publish('the mill turns', { min: 1 });
await reporter.topic.publish('the river rises', { min: 1 });

// A reader that is in no topic gets all of it, however often its connection is lost.
const network = faulty(memory);
const reader = createTransport({ protocol: archive, backends: [network] });
for await (const { index, text } of await resume(reader, 'inmem://archivist', 'follow', 0)) {
  console.log(index, text);
  if (index === 1) {
    network.cut();
    await reporter.topic.publish('the bridge holds', { min: 1 });
  }
  if (index === 2) break;
}
await reader.close();
await reporter.close();
await archivist.close();
await recording;
