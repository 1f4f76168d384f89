// A node in a network namespace that looks for a router, beside services that only this machine
// may use. Prints a line of JSON: the requests to these services, and the mapping.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPortMapping } from '@trunkline/peers/nat';
import { bytes, createTransport, defineProtocol } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';

const protocol = defineProtocol({
  name: 'nothing',
  version: 1,
  channel: 0x20,
  methods: { ask: { id: 1, request: bytes, response: bytes } },
});
const requests: string[] = [];
const service = createServer(({ method, url }, response) => {
  requests.push(`${method} ${url}`);
  response.end();
});
service.listen(8_080);
await once(service, 'listening');
// The kernel takes up to a second to report a new link as running.
while (networkInterfaces()['eth0'] === undefined) await sleep(20);
const transport = createTransport('tcp://192.168.78.2:7000', { protocol, backends: [tcp()] });
await transport.listen();
const mapping = await createPortMapping(transport);
const { addresses, error } = mapping;
await mapping.close();
console.log(JSON.stringify({ requests, addresses, error: error?.message }));
await transport.close();
service.close();
