import { once } from 'node:events';
import { createServer } from 'node:http';
import { createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import { z } from 'zod';

const clock = defineProtocol({
  name: 'clock',
  methods: { tick: { request: json(z.int()), download: json(z.int()) } },
});
const site = createServer((_request, response) => response.end('a page')).listen(0, '127.0.0.1'); // your own, with its pages
await once(site, 'listening');
const server = createTransport('ws://server/rpc', {
  protocol: clock,
  backends: [ws({ server: site })],
});
serve(server, {
  async *tick(count) {
    for (let n = 1; n <= count; n++) yield n;
  },
});
await server.listen();

const page = createTransport({ protocol: clock, backends: [ws()] }); // in a browser these lines are the same
for await (const n of page.to(server.advertiseAddr()).tick(3)) console.log(n);
await page.close();
await server.close(); // leaves the site's own server open
site.close();
