import { SpanKind, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createTracing, traced } from '@trunkline/telemetry/opentelemetry';
import { createTransport, defineProtocol, inmem, json } from 'trunkline';
import { createGossip, fullMesh } from 'trunkline/gossip';
import { createPeers } from 'trunkline/peers';
import { z } from 'zod';

const exporter = new InMemorySpanExporter();
const spanProcessors = [new SimpleSpanProcessor(exporter)];
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
const tracing = createTracing();

const protocol = defineProtocol({ name: 'press', version: 1, channel: 0x20, methods: {} });
const backends = [inmem()];
const news = traced(json(z.string())); // The codec of all nodes on the topic.

async function startNode(name: string, seeds: string[]) {
  const transport = createTransport(`inmem://${name}`, { protocol, backends });
  const peers = createPeers({ transport, seeds });
  const gossip = createGossip({ transport, peers, overlay: fullMesh() });
  await transport.listen();
  await gossip.start();
  await peers.start();
  const topic = gossip.topic('news', news);
  topic.subscribe(tracing.consumer(topic, (text) => console.log(`received: ${text}`)));
  const close = async () => {
    await gossip.close();
    await peers.close();
    await transport.close();
  };
  const subscribers = () => gossip.snapshot().topics[0]!.interested;
  return { topic, close, subscribers, clock: transport.clock };
}

const press = await startNode('press', []);
const readers = [await startNode('b', ['inmem://press']), await startNode('c', ['inmem://press'])];
while (press.subscribers() < 2) await press.clock.sleep(10);
await tracing.publish(press.topic, 'rain tomorrow', { min: 2 });
for (const node of [...readers, press]) await node.close();

const [published] = exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.PRODUCER);
console.log(`PRODUCER ${published!.name}`);
for (const { kind, name, links } of exporter.getFinishedSpans()) {
  if (kind !== SpanKind.CONSUMER) continue;
  const isLinked = links[0]!.context.spanId === published!.spanContext().spanId;
  console.log(`CONSUMER ${name}, ${isLinked ? 'linked to it' : 'linked to another'}`);
}
