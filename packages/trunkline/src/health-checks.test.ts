// A balancer that checks health beside a served health, by the entries that programs import.

import { createBalancer, createStaticResolver } from '@trunkline/resilience';
import test from 'ava';
import { createTransport, defineProtocol, empty, inmem, serve, serveHealth } from './index.ts';

const protocol = defineProtocol({
  name: 'orders',
  methods: { ping: { request: empty, response: empty } },
});

test('a node that serves its health may call others by a balancer that checks theirs', async (t) => {
  const backends = [inmem()];
  const server = createTransport('inmem://server', { protocol, backends });
  serve(server, { ping: () => {} });
  serveHealth(server);
  await server.listen();
  const resolve = createStaticResolver({ orders: ['inmem://server'] });
  const balancer = createBalancer({ resolve, healthCheck: true });
  const interceptors = { client: [balancer.interceptor] };
  const node = createTransport('inmem://node', { protocol, backends, interceptors });
  serveHealth(node);
  t.teardown(() => Promise.all([node.close(), server.close()]));
  t.teardown(() => balancer.close());
  await node.to('orders').ping();
  t.pass();
});
