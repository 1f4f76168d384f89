// The module of the workers in tests: `worker.child.js <address> [fault]`. The fault 'crash' ends
// it before it joins, 'mute' keeps it from joining, and 'file:<path>' ends it if that file exists.

import { existsSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { createMetrics } from '@trunkline/telemetry';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { joinCluster } from '../../index.cluster.ts';
import { millisecondsOf, protocol } from './protocol.ts';

const [, , address = 'tcp://127.0.0.1:0', fault = ''] = process.argv;
if (fault === 'crash' || (fault.startsWith('file:') && existsSync(fault.slice(5))))
  process.kill(process.pid, 'SIGKILL');

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
if (fault !== 'mute') joinCluster(transport, { metrics });
