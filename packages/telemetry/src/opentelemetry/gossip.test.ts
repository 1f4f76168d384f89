// Tests of the spans of messages of gossip.

import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createGossip, fullMesh } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { bytes, createTransport, defineProtocol } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import test, { type ExecutionContext } from 'ava';
import { createTracing, traced } from '../index.opentelemetry.ts';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const protocol = defineProtocol({ name: 'traced', channel: 0x20, methods: {} });

async function fixture(t: ExecutionContext) {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracing = createTracing({ tracerProvider });
  const backends = [inmem()];
  const node = async (name: string, seeds: string[]) => {
    const transport = createTransport(`inmem://${name}`, { protocol, backends });
    const peers = createPeers({ transport, seeds });
    const gossip = createGossip({ transport, peers, overlay: fullMesh() });
    await transport.listen();
    await gossip.start();
    await peers.start();
    t.teardown(async () => {
      await gossip.close();
      await peers.close();
      await transport.close();
    });
    return { gossip, nodeId: peers.nodeId, topic: gossip.topic('news', traced(bytes)) };
  };
  const a = await node('a', []);
  const others = [await node('b', ['inmem://a']), await node('c', ['inmem://a'])];
  while (a.gossip.snapshot().topics[0]!.interested < 2)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const spans = (kind: SpanKind) =>
    exporter.getFinishedSpans().filter((span) => span.kind === kind);
  return { a, others, tracing, spans };
}

test.serial('each delivery has a span that is linked to that of the publisher', async (t) => {
  const { a, others, tracing, spans } = await fixture(t);
  const active: (string | undefined)[] = [];
  const handle = (value: Uint8Array) => {
    active.push(trace.getActiveSpan()?.spanContext().spanId);
    return value;
  };
  for (const { topic } of others) topic.subscribe(tracing.consumer(topic, handle));
  const { received } = await tracing.publish(a.topic, new Uint8Array([7]), { min: 2 });
  t.is(received, 2);
  while (spans(SpanKind.CONSUMER).length < 2) await new Promise((done) => setTimeout(done, 1));
  const [producer] = spans(SpanKind.PRODUCER);
  t.is(producer!.name, 'publish news');
  const consumers = spans(SpanKind.CONSUMER);
  t.is(consumers.length, 2);
  for (const { name, links, attributes, parentSpanContext } of consumers) {
    t.is(name, 'process news');
    t.is(parentSpanContext, undefined);
    t.is(links[0]!.context.spanId, producer!.spanContext().spanId);
    t.like(attributes, {
      'messaging.system': 'trunkline',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'news',
      'trunkline.gossip.hops': 1,
      'trunkline.peer.id': a.nodeId,
    });
    t.is(typeof attributes['messaging.message.id'], 'string');
  }
  t.deepEqual(active.sort(), consumers.map((span) => span.spanContext().spanId).sort());
});

test.serial('a handler that fails ends its span with the error', async (t) => {
  const { a, others, tracing, spans } = await fixture(t);
  const [{ topic }] = others as [(typeof others)[0]];
  const handle = () => Promise.reject(new Error('a mistake'));
  topic.subscribe(tracing.consumer(topic, handle), { onError() {} });
  await tracing.publish(a.topic, new Uint8Array([7]), { min: 1 });
  while (spans(SpanKind.CONSUMER).length < 1) await new Promise((done) => setTimeout(done, 1));
  t.is(spans(SpanKind.CONSUMER)[0]!.status.code, SpanStatusCode.ERROR);
});
