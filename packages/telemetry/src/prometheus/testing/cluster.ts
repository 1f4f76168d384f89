// Three nodes over TLS that call each other and gossip, each with a page of its metrics.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createGossip, partialView } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { createAuthority, createIdentity } from '@trunkline/security';
import {
  bytes,
  createTransport,
  defineProtocol,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { Registry } from 'prom-client';
import { exportMetrics } from '../../index.prometheus.ts';
import { createMetrics } from '../../metrics.ts';
import { createParts } from './parts.ts';

const AUTHORITY = await createAuthority();

const protocol = defineProtocol({
  name: 'kv',
  methods: {
    get: { id: 1, request: bytes, response: bytes },
    miss: { id: 2, request: bytes, response: bytes },
    fail: { id: 5, request: bytes, response: bytes },
    note: { id: 3, request: bytes },
    watch: { id: 4, request: bytes, download: bytes },
  },
});

export interface Cluster {
  /** `host:port` of the page with the metrics of each node. */
  readonly targets: readonly string[];
  /** Makes some calls of each kind and publishes a message, from each node. */
  work(): Promise<void>;
  close(): Promise<void>;
}

export async function startCluster(): Promise<Cluster> {
  const nodes = [await startNode([])];
  nodes.push(await startNode([nodes[0]!.address]), await startNode([nodes[0]!.address]));
  while (nodes.some(({ peers }) => peers.snapshot().peers.length < 2)) {
    for (const { transport } of nodes) await transport.clock.sleep(20);
  }
  return {
    targets: nodes.map(({ target }) => target),
    async work() {
      await Promise.all(nodes.map((node, i) => node.work(nodes[(i + 1) % nodes.length]!.address)));
    },
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

async function startNode(seeds: readonly string[]) {
  const identity = createIdentity();
  const metrics = createMetrics();
  const { observer } = metrics;
  const transport = createTransport('tcp://127.0.0.1:0', {
    protocol,
    observer,
    backends: [
      tcp({
        tls: { key: identity.key, cert: await AUTHORITY.issue(identity), ca: AUTHORITY.cert },
      }),
    ],
  });
  serve(transport, {
    get: (key) => key,
    miss: () => {
      throw new TransportError('not_found', 'there is no such key');
    },
    fail: () => {
      throw new Error('a mistake');
    },
    note: () => {},
    watch: async function* (key) {
      yield key;
      yield key;
    },
  });
  await transport.listen();
  const address = transport.localAddr();
  const peers = createPeers({ transport, seeds: [...seeds], identity });
  const gossip = createGossip({ transport, peers, overlay: partialView() });
  await gossip.start();
  await peers.start();
  const topic = gossip.topic('news', bytes);
  const subscription = topic.subscribe(() => {});
  metrics.watch({ transport, peers, gossip, ...createParts().sources });
  observer.event!({ type: 'broker', state: 'connected', server: 'a:4222' });
  const registry = new Registry();
  exportMetrics(metrics, { registry });
  const web = createServer(async (_, response) => {
    response.setHeader('content-type', registry.contentType);
    response.end(await registry.metrics());
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
  return {
    address,
    peers,
    transport,
    target: `127.0.0.1:${(web.address() as { port: number }).port}`,
    async work(to: string) {
      await transport.send(to, 'get', new Uint8Array(1_000));
      await transport.send(to, 'miss', new Uint8Array(1)).catch(() => {});
      await transport.send(to, 'fail', new Uint8Array(1)).catch(() => {});
      await transport.send(to, 'note', new Uint8Array(1));
      for await (const _ of await transport.send(to, 'watch', new Uint8Array(1)));
      await topic.publish(new Uint8Array(10));
    },
    async close() {
      subscription.close();
      await gossip.close();
      await peers.close();
      await transport.close();
      web.close();
      web.closeAllConnections();
    },
  };
}
