// The module of the workers in tests: `worker.child.js <address>`.

import { threadId } from 'node:worker_threads';
import { createMetrics } from '@trunkline/telemetry';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { joinCluster } from '../../index.cluster.ts';
import { millisecondsOf, protocol } from './protocol.ts';

const [, , address = 'tcp://127.0.0.1:0'] = process.argv;
const metrics = createMetrics();
const transport = createTransport(address, {
  protocol,
  backends: [tcp()],
  observer: metrics.observer,
});
metrics.watch({ transport });
serve(transport, {
  who: () => new TextEncoder().encode(`${process.pid}/${threadId}`),
  echo: (request) => request,
  slow: async (request) => {
    await transport.clock.sleep(millisecondsOf(request));
    return request;
  },
  block: (request) => {
    const until = performance.now() + millisecondsOf(request);
    while (performance.now() < until);
  },
  crash: () => {
    setImmediate(() => {
      throw new Error('this worker crashes, as the test wants');
    });
  },
});
await transport.listen();
joinCluster(transport, { metrics });
