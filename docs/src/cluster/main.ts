// The main program: starts the workers, and answers probes and scrapes for all of them.

import { createServer } from 'node:http';
import { createCluster } from '@trunkline/resilience/cluster';
import { exportMetrics } from '@trunkline/telemetry/prometheus';
import { register } from 'prom-client';
import { healthHandler } from 'trunkline';

const cluster = await createCluster({
  worker: new URL('./worker.js', import.meta.url),
  onEvent(event) {
    if (event.type === 'joined') console.log(`worker ${event.slot} on ${event.addresses}`);
    if (event.type === 'retrying') console.warn(event.error.message);
  },
});

exportMetrics(cluster.metrics);
const probe = healthHandler(cluster); // /healthz and /readyz
const http = createServer(async (request, response) => {
  if (probe(request, response)) return;
  response.setHeader('content-type', register.contentType);
  response.end(await register.metrics());
});
http.listen(Number(process.env['HTTP_PORT'] ?? 9_090), '127.0.0.1', () =>
  console.log(`metrics on ${JSON.stringify(http.address())}`),
);

// New code without an outage: the new workers load it, then the old ones leave.
process.on('SIGHUP', () => cluster.restart().catch((error) => console.error(error.message)));
process.once('SIGTERM', async () => {
  await cluster.close();
  http.close();
  http.closeIdleConnections();
});
