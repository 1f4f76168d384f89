// A worker: an ordinary program with a transport, and one more line.

import { joinCluster } from '@trunkline/resilience/cluster';
import { createMetrics } from '@trunkline/telemetry';
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
const address = process.env['ADDRESS'] ?? 'tcp://127.0.0.1:7000';
const transport = createTransport(address, { protocol: greeter, backends: [tcp()], observer });
metrics.watch({ transport });
serve(transport, { greet: (name) => `Hello, ${name}, from process ${process.pid}!` });
await transport.listen();
joinCluster(transport, { metrics });
