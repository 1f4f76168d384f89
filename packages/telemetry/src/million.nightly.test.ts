// A million calls with metrics: neither the heap nor the sets of labels grow.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import test from 'ava';
import { createMetrics } from './index.ts';

const protocol = defineProtocol({
  name: 'echo',
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

test.serial('1,000,000 calls leave heap and labels as they were', async (t) => {
  t.timeout(300_000);
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const metrics = createMetrics();
  const { observer } = metrics;
  const backends = [inmem()];
  const server = createTransport('inmem://million', { protocol, backends, observer });
  serve(server, { echo: (request) => request });
  await server.listen();
  const client = createTransport({ protocol, backends, observer });
  metrics.watch({ transport: client });
  metrics.watch({ transport: server });
  t.teardown(() => Promise.all([client.close(), server.close()]));
  const request = new Uint8Array(8);
  const make = async (calls: number) => {
    for (let made = 0; made < calls; made += 100)
      await Promise.all(
        Array.from({ length: 100 }, () => client.send('inmem://million', 'echo', request)),
      );
  };
  const measure = () => {
    collectGarbage();
    const labels = metrics
      .collect()
      .flatMap(({ name, points }) => points.map(({ attributes }) => [name, attributes]));
    return { heap: process.memoryUsage().heapUsed, labels: JSON.stringify(labels) };
  };
  await make(100_000);
  const before = measure();
  await make(1_000_000);
  const after = measure();
  t.log(`heap: ${before.heap} bytes before, ${after.heap} after`);
  t.is(after.labels, before.labels);
  t.true(after.heap - before.heap < 1_000_000, `${after.heap - before.heap} bytes more`);
  const { points } = metrics.collect().find(({ name }) => name === 'rpc.server.call.duration')!;
  t.is(points[0]!.buckets!.count, 1_100_000);
});
