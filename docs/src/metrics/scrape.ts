import { createServer } from 'node:http';
import { createMetrics } from '@trunkline/telemetry';
import { exportMetrics } from '@trunkline/telemetry/prometheus';
import { register } from 'prom-client';
import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

const metrics = createMetrics();
const { observer } = metrics;
const backends = [tcp()];
const transport = createTransport('tcp://127.0.0.1:0', { protocol: greeter, backends, observer });
metrics.watch({ transport });
exportMetrics(metrics);

// Prometheus scrapes this server.
const web = createServer(async (_, response) => {
  response.setHeader('content-type', register.contentType);
  response.end(await register.metrics());
});
await new Promise<void>((resolve) => void web.listen(0, '127.0.0.1', resolve));

serve(transport, { greet: (name) => `Hello, ${name}!` });
await transport.listen();
const client = createTransport({ protocol: greeter, backends });
await client.send(transport.advertiseAddr(), 'greet', 'Ada');

const { port } = web.address() as { port: number };
const scrape = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
const shown = /^(rpc_server_call_duration_seconds_count|trunkline_connections)/;
for (const line of scrape.split('\n')) if (shown.test(line)) console.log(line);
await client.close();
await transport.close();
web.close();
web.closeAllConnections();
