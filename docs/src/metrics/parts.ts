import { createMetrics } from '@trunkline/telemetry';
import { exportMetrics } from '@trunkline/telemetry/prometheus';
import { register } from 'prom-client';
import { createTransport, defineProtocol, json, tcp } from 'trunkline';
import { createBalancer, createRetries, createStaticResolver } from 'trunkline/resilience';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

const balancer = createBalancer({
  resolve: createStaticResolver({ greeters: ['tcp://127.0.0.1:1', 'tcp://127.0.0.1:2'] }),
});
const retries = createRetries({ methods: { 'greeter/greet': { attempts: 2, idempotent: true } } });
const metrics = createMetrics();
const transport = createTransport({
  name: 'shop-1',
  protocol: greeter,
  backends: [tcp()],
  observer: metrics.observer,
  interceptors: { client: [retries.interceptor, balancer.interceptor] },
});
metrics.watch({ transport, balancer, retries });
exportMetrics(metrics);

// Nobody listens there.
await transport
  .to('greeters')
  .greet('Ada')
  .catch(({ code }) => console.log(code));
const shown = /^(trunkline_(balancer_address|retry_attempts).* [^0]|target_info)/;
for (const line of (await register.metrics()).split('\n'))
  if (shown.test(line)) console.log(line.replace(/version=".*?"/, 'version="…"'));
await transport.close();
balancer.close();
balancer.close();
