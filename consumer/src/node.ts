// The imports of a server in Node. The check adds entries.ts, which imports every entry of every
// package.

import type { MetricProducer } from '@opentelemetry/sdk-metrics';
import { admin, adminProtocol, createAdmin, followNode, type NodeState } from '@trunkline/admin';
import { createGossip, fullMesh, type MessageMeta } from '@trunkline/gossip';
import { relay } from '@trunkline/gossip/relay';
import { createPeers } from '@trunkline/peers';
import { createFileAddressBook } from '@trunkline/peers/node';
import { multicast } from '@trunkline/resilience';
import { createAuthority, createIdentity, type Identity } from '@trunkline/security';
import { loadOrCreateIdentity } from '@trunkline/security/node';
import { explore, nemeses, type Simulation } from '@trunkline/simulation';
import { createMetrics } from '@trunkline/telemetry';
import { createMetricProducer, createTracing, traced } from '@trunkline/telemetry/opentelemetry';
import {
  combineObservers,
  createTransport,
  json,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { direct, inmem } from '@trunkline/transport-inmem';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import { createNode } from 'trunkline/mesh';
import { z } from 'zod';
import { equal, handlers, type Ledger, ledger, use } from './ledger.ts';

type Height = { height: number };
const height = json(z.object({ height: z.int() }));

export async function main(upload: AsyncIterable<Uint8Array>): Promise<void> {
  const identity = await loadOrCreateIdentity('node.key');
  const { cert: ca, issue } = await createAuthority();
  const tls = { key: identity.key, cert: await issue(createIdentity()), ca, allow: undefined };
  const common = { protocol: ledger, advertiseAddr: undefined, limits: { message: 1_024 } };
  const metrics = createMetrics({ topics: true });
  const { observer } = createAdmin({ allow: ({ nodeId }) => nodeId !== undefined });
  const tracing = createTracing({ trustRemote: ({ nodeId }) => nodeId !== undefined });
  const backends = [tcp({ tls }), ws(), inmem()];
  const transport: Transport<Ledger> = createTransport('tcp://0.0.0.0:0', { ...common, backends });
  createTransport({
    protocol: ledger,
    observer: combineObservers(observer, metrics.observer),
    interceptors: tracing.interceptors,
    backends: [direct()],
  }) satisfies Transport<Ledger>;
  const addressBook = createFileAddressBook('book');
  const peers = createPeers({ transport, identity, status: height, addressBook });
  peers.status.set({ height: 1 });
  for await (const event of peers.events()) {
    if (event.type === 'up') equal<typeof event.peer.status, Height | undefined>(true);
  }
  await use(peers.transport(ledger), peers.nodeId, upload);

  const gossip = createGossip({
    transport,
    peers,
    overlay: fullMesh({ hops: 2 }),
    relay: relay({ above: 1_024, fanout: undefined }),
  });
  const heights = gossip.topic('heights', height, { limit: undefined });
  heights.subscribe((message, meta) => {
    equal<[typeof message, typeof meta], [Height, MessageMeta]>(true);
  });
  const news = gossip.topic('news', traced(height));
  news.subscribe(tracing.consumer(news, (message) => equal<typeof message, Height>(true)));
  const { queued, failed } = await heights.publish({ height: 1 }, { min: undefined });
  void [queued, failed?.[0]?.error satisfies TransportError | undefined];

  const node = transport.mount(adminProtocol).to('127.0.0.1:1');
  for await (const state of followNode(node, { interval: 500 }))
    void (state satisfies NodeState).connections['in-1']?.rtt;
  equal<number, Awaited<ReturnType<typeof node.disconnect>>['connections']>(true);
  void (createMetricProducer(metrics) satisfies MetricProducer);
  await mesh(identity);
  await simulate();
  const server = serve(transport, handlers, { concurrency: 8 });
  const calls = multicast(transport, ['a'], 'book', { account: 'a' }, { until: 'quorum' });
  for await (const { target, error, response } of calls) {
    if (error instanceof TransportError && error.reason === 'connection_refused') throw error;
    void [target, response?.balance];
  }
  await server.stop();
  await transport[Symbol.asyncDispose]();
}

async function mesh(identity: Identity): Promise<void> {
  const coerced = json(z.object({ height: z.coerce.number<string>() }));
  await using node = await createNode({
    address: ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0'],
    identity,
    protocol: ledger,
    handlers,
    gossip: {
      topics: {
        news: json(z.string()),
        heights: {
          codec: coerced,
          validate: (message) => (message.height > 0 ? 'accept' : 'reject'),
          onMessage: (message, meta) =>
            equal<[typeof message, typeof meta], [Height, MessageMeta]>(true),
        },
      },
    },
    parts: [admin({ allow: () => true })],
  });
  await node.topics.heights.publish({ height: '7' });
  // @ts-expect-error a height is published as a text
  await node.topics.heights.publish({ height: 7 });
  for await (const { message } of node.topics.news) equal<typeof message, string>(true);
}

async function simulate(): Promise<void> {
  const scenario = async (sim: Simulation) => {
    sim.node('n1', async (context) => {
      const served = serve(context.transport(ledger, { timeout: 500 }), handlers);
      return () => served.stop();
    });
    const client = sim.client(ledger).to('n1');
    const { balance } = await sim.settle(client.book({ account: 'a' }), 5_000);
    equal<typeof balance, number>(true);
  };
  const nemesis = nemeses.swarm({ duration: 5_000 });
  const { failed } = await explore({ seeds: 10, scenario, nemesis, level: 'stream', record: 1 });
  equal<(typeof failed)[number]['trace']['hash'], string>(true);
}
