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
import { z } from 'zod';

const work = defineProtocol({
  name: 'work',
  version: 1,
  channel: 0x20,
  methods: {
    double: { id: 1, request: json(z.int()), response: json(z.int()) },
    upTo: { id: 2, request: json(z.int()), download: json(z.int()) },
  },
});

const transport = createTransport('tcp://127.0.0.1:0', { protocol: work, backends: [tcp()] });
serve(transport, {
  double: async (number) => {
    await new Promise((resolve) => setTimeout(resolve, 20)); // works for a while
    return number * 2;
  },
  async *upTo(number) {
    for (let n = 1; n <= number; n++) yield n;
  },
});
const health = serveHealth(transport);
await transport.listen();

const probe = healthHandler(health);
const http = createServer((request, response) => {
  if (!probe(request, response)) response.writeHead(404).end();
});
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

process.once('SIGTERM', async () => {
  await drain(transport, { grace: 20_000 }); // callers turn to other nodes; calls in flight finish
  await transport.close({ grace: 1_000 }); // with peers and gossip, close these first
  http.close();
  http.closeIdleConnections();
});

const { port } = http.address() as { port: number };
console.log(`${transport.localAddr()} ${port}`);
