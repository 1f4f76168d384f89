// The imports of a server in Node.

import { createServer } from 'node:http';
import { metrics as otel } from '@opentelemetry/api';
import type { MetricProducer } from '@opentelemetry/sdk-metrics';
import { admin, adminProtocol, createAdmin, followNode, type NodeState } from '@trunkline/admin';
import { type Dashboard, serveDashboard } from '@trunkline/admin/dashboard';
import {
  asyncApi,
  compareProtocols,
  createReflector,
  describeProtocol,
  type ProtocolChange,
  reflectedProtocol,
  serveReflection,
} from '@trunkline/admin/reflection';
import type { CliTerminal, runCli as runCommand } from '@trunkline/cli';
import {
  createGossip,
  fullMesh,
  type GossipEvent,
  type MessageMeta,
  partialView,
} from '@trunkline/gossip';
import { relay } from '@trunkline/gossip/relay';
import { createPeers, type PeerEvent } from '@trunkline/peers';
import { createPortMapping, type PortMapping } from '@trunkline/peers/nat';
import { createFileAddressBook, createFileStore } from '@trunkline/peers/node';
import { multicast } from '@trunkline/resilience';
import {
  type Cluster,
  type clusterSlot,
  createCluster,
  joinCluster,
} from '@trunkline/resilience/cluster';
import { createDnsResolver } from '@trunkline/resilience/dns';
import { createAuthority, createIdentity, type Identity } from '@trunkline/security';
import { loadOrCreateIdentity } from '@trunkline/security/node';
import { createMetrics, type Metric } from '@trunkline/telemetry';
import {
  createMetricProducer,
  createTracing,
  recordCalls,
  traced,
} from '@trunkline/telemetry/opentelemetry';
import { exportMetrics } from '@trunkline/telemetry/prometheus';
import {
  combineObservers,
  createTransport,
  json,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import { MutualTls, writeAtomically } from '@trunkline/transport-core/node';
import { type DirectBackend, direct, inmem } from '@trunkline/transport-inmem';
import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { createMemorySignaling, webrtc } from '@trunkline/transport-webrtc';
import { ws } from '@trunkline/transport-ws';
import { Registry } from 'prom-client';
import { createNode, type MeshNode } from 'trunkline/mesh';
import { z } from 'zod';
import { equal, handlers, type Ledger, ledger, use } from './ledger.ts';

export async function main(upload: AsyncIterable<Uint8Array>): Promise<void> {
  const identity: Identity = await loadOrCreateIdentity('node.key');
  const authority = await createAuthority();
  const tls = {
    key: identity.key,
    cert: await authority.issue(createIdentity()),
    ca: [authority.cert],
    allow: undefined,
    deny: [identity.nodeId],
  };
  const memory: DirectBackend = direct();
  memory.connect('inmem://a', 'b');
  memory.connectAll();
  const transports: Transport<Ledger>[] = [
    createTransport('tcp://127.0.0.1:0', {
      protocol: ledger,
      advertiseAddr: undefined,
      timeout: 1_000,
      limits: { message: 1_024 },
      backends: [tcp()],
    }),
    createTransport('ws://server/rpc', {
      protocol: ledger,
      backends: [ws({ server: createServer() })],
    }),
    createTransport('webrtc://0', {
      protocol: ledger,
      backends: [
        webrtc({
          signal: createMemorySignaling().signal(identity.nodeId),
          identity,
          iceServers: [{ urls: 'stun:stun.example:3478' }],
          deny: undefined,
        }),
      ],
    }),
    createTransport('inmem://a', { protocol: ledger, backends: [memory] }),
    createTransport('inmem://a', {
      protocol: ledger,
      backends: [inmem({ streams: createInmemStreams() })],
    }),
    createTransport('tcp://127.0.0.1:0', { protocol: ledger, backends: [tcp(), ws(), inmem()] }),
    createTransport({ protocol: ledger, backends: [tcp({ tls }), ws({ tls })] }),
    new NetworkTransport({
      protocol: ledger,
      stream: createInmemStreams().layer('a') satisfies StreamLayer,
    }),
    new NetworkTransport({
      protocol: ledger,
      stream: createTcpStreamLayer({ bindAddr: '127.0.0.1:0' }),
    }),
  ];
  await createTransport('tcp://127.0.0.1:0', {
    protocol: ledger,
    backends: [tcp({ tls })],
  }).updateTls({ deny: [], allow: null });
  memory.disconnect('a', 'b');
  memory.disconnectAll('a');
  const status = json(z.object({ height: z.int() }));
  const peers = createPeers({
    transport: transports[0]!,
    identity,
    status,
    addressBook: createFileAddressBook('book'),
    filters: undefined,
  });
  await createFileStore('kept').close();
  await peers.start();
  peers.status.set({ height: 1 });
  const mapping: PortMapping = await createPortMapping(transports[0]!, { gateway: '192.168.1.1' });
  await mapping.close();
  for await (const event of peers.events()) {
    if (event.type === 'up') equal<typeof event.peer.status, { height: number } | undefined>(true);
    if (event.type === 'down') void (event satisfies PeerEvent<{ height: number }>).cause.reason;
  }
  await use(peers.transport(ledger), peers.nodeId, upload);
  const tree = createGossip({
    transport: transports[0]!,
    peers,
    overlay: partialView({ active: 5, tree: { optimizeAt: 3 } }),
    signatures: { identity, mode: 'strict' },
  });
  equal<Parameters<typeof runCommand>, [args: readonly string[], terminal: CliTerminal]>(true);
  const admin = createAdmin({ allow: ({ nodeId }) => nodeId !== undefined, readonly: false });
  const observed = createTransport({
    protocol: ledger,
    observer: admin.observer,
    backends: [tcp()],
  });
  const stop = admin.serve({ transport: observed, peers, gossip: tree, log: { level: 'info' } });
  const node = transports[0]!.mount(adminProtocol).to('127.0.0.1:1');
  const page: Dashboard = await serveDashboard(observed, { admin, nodes: ['127.0.0.1:1'] });
  await page.close();
  for await (const state of followNode(node, { interval: 500 }))
    void (state satisfies NodeState).connections['in-1']?.rtt;
  equal<number, Awaited<ReturnType<typeof node.disconnect>>['connections']>(true);
  await stop();
  await serveReflection(observed, { allow: undefined }).close();
  const described = await createReflector(observed).describe('127.0.0.1:1', 'ledger');
  observed.mount(await reflectedProtocol(described));
  const [change] = await compareProtocols([described], [await describeProtocol(ledger)]);
  void [MutualTls.name, writeAtomically.name];
  void [asyncApi([described]), (change satisfies ProtocolChange | undefined)?.breaks];
  const metrics = createMetrics({ topics: true });
  createTransport('tcp://127.0.0.1:0', {
    protocol: ledger,
    resolve: createDnsResolver({ servers: ['10.96.0.10'] }),
    observer: combineObservers(metrics.observer, recordCalls(otel.getMeter('a'))),
    backends: [tcp()],
  });
  metrics.watch({ transport: transports[0], peers, gossip: tree })();
  exportMetrics(metrics, { registry: new Registry() })();
  const cluster: Cluster = await createCluster({
    worker: new URL('./worker.js', import.meta.url),
    kind: 'auto',
    onEvent: (event) => event.type === 'retrying' && event.error.reason,
  });
  exportMetrics(cluster.metrics);
  equal<Awaited<ReturnType<typeof cluster.snapshot>>['total']['connections'], number>(true);
  await joinCluster(transports[0]!, { metrics, beforeClose: () => peers.close() }).leave();
  equal<ReturnType<typeof clusterSlot>, number | undefined>(true);
  const tracing = createTracing({ trustRemote: ({ nodeId }) => nodeId !== undefined });
  createTransport('tcp://127.0.0.1:0', {
    protocol: ledger,
    interceptors: tracing.interceptors,
    backends: [tcp()],
  });
  const news = tree.topic('news', traced(json(z.string())));
  news.subscribe(tracing.consumer(news, (text) => equal<typeof text, string>(true)));
  equal<number, Awaited<ReturnType<typeof news.publish>>['queued']>(true);
  void (await tracing.publish(news, 'rain', { min: 1 })).queued;
  void (createMetricProducer(metrics) satisfies MetricProducer);
  void (metrics.collect() satisfies readonly Metric[]);
  await gossip(tree);
  await mesh(identity);
  createGossip({
    transport: transports[1]!,
    peers,
    overlay: fullMesh({ hops: 2 }),
    relay: relay({ above: 1_024, fanout: undefined }),
    discovery: false,
  });
  for (const transport of transports) {
    const server = serve(transport, handlers, { concurrency: 8 });
    await use(transport, transport.advertiseAddr(), upload);
    for await (const { target, error, response } of multicast(
      transport,
      ['a', 'b'],
      'book',
      { account: 'a' },
      { until: 'quorum' },
    )) {
      if (error instanceof TransportError && error.reason === 'connection_refused') throw error;
      void [target, response?.balance];
    }
    await server.stop();
    await transport[Symbol.asyncDispose]();
  }
}

async function gossip(gossip: ReturnType<typeof createGossip>): Promise<void> {
  await gossip.start();
  const heights = gossip.topic('heights', json(z.object({ height: z.int() })), {
    limit: undefined,
    validate: ({ height }) => (height > 0 ? 'accept' : 'reject'),
  });
  heights
    .subscribe((message, meta) =>
      equal<[typeof message, typeof meta], [{ height: number }, MessageMeta]>(true),
    )
    .close();
  const { queued, failed } = await heights.publish(
    { height: 1 },
    { except: [gossip.nodeId], min: undefined },
  );
  void [queued, failed?.[0]?.error satisfies TransportError | undefined];
  for await (const { message, meta } of heights) if (message.height > meta.hops) break;
  for await (const event of gossip.events())
    if (event.type === 'neighborDown') void (event satisfies GossipEvent).cause;
  await gossip[Symbol.asyncDispose]();
}

async function mesh(identity: Identity): Promise<void> {
  const height = z.object({ height: z.coerce.number<string>() });
  await using node = await createNode({
    address: ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0'],
    name: 'blue-3',
    identity,
    protocol: ledger,
    handlers,
    peers: { status: json(z.string()) },
    gossip: {
      topics: {
        news: json(z.string()),
        heights: {
          codec: json(height),
          validate: (message) => (message.height > 0 ? 'accept' : 'reject'),
          onMessage: (message, meta) =>
            equal<[typeof message, typeof meta], [{ height: number }, MessageMeta]>(true),
        },
      },
    },
    parts: [admin({ allow: () => true })],
  });
  node satisfies MeshNode;
  await node.topics.heights.publish({ height: '7' });
  // @ts-expect-error a height is published as a text
  await node.topics.heights.publish({ height: 7 });
  for await (const { message } of node.topics.news) equal<typeof message, string>(true);
  for (const { status } of node.peers.list()) equal<typeof status, string | undefined>(true);
  await use(node.transport, 'node:', noItems());
}

async function* noItems(): AsyncGenerator<Uint8Array> {}
