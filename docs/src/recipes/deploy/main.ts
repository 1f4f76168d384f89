import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  createTransport,
  defineProtocol,
  drain,
  healthHandler,
  json,
  serve,
  serveHealth,
  tcp,
} from 'trunkline';
import { createPeers } from 'trunkline/peers';
import { z } from 'zod';

const work = defineProtocol({
  name: 'work',
  version: 1,
  channel: 0x20,
  methods: { double: { id: 1, request: json(z.int()), response: json(z.int()) } },
});

const { LISTEN = 'tcp://0.0.0.0:7000', ADVERTISE, SEEDS = '', HTTP_PORT = '8080' } = process.env;
const { LINGER = '15000' } = process.env; // above the TTL of DNS (5 s), with its caches
const transport = createTransport(LISTEN, {
  protocol: work,
  backends: [tcp()],
  advertiseAddr: ADVERTISE, // the name by which other containers reach this one
});
const peers = createPeers({ transport, seeds: SEEDS.split(',').filter((seed) => seed !== '') });
serve(transport, {
  async double(number) {
    await transport.clock.sleep(50); // works for a while
    return 2 * number;
  },
});
const health = serveHealth(transport);
const probe = healthHandler(health); // answers /healthz and /readyz
const http = createServer((request, response) => {
  if (!probe(request, response)) response.writeHead(404).end();
});

process.once('SIGTERM', async () => {
  health.set(work.name, 'not_serving'); // not ready: names, peers and balancers leave this node out
  const again = new AbortController();
  process.once('SIGTERM', () => again.abort()); // a second signal ends the wait
  await transport.clock.sleep(Number(LINGER), again.signal).catch(() => {}); // answers calls
  await drain(transport, { grace: 20_000 }); // new calls are refused, and running ones finish
  await peers.close();
  await transport.close({ grace: 1_000 });
  http.close();
  http.closeIdleConnections();
});

await transport.listen();
await peers.start();
http.listen(Number(HTTP_PORT));
await once(http, 'listening');
const { port } = http.address() as { port: number };
console.log(`ready at ${transport.advertiseAddr()}, probes on port ${port}`);
