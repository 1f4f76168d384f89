// A program whose transport has a DNS resolver and is never closed: a test observes whether it
// ends. Its arguments are the DNS server, and the port of the node.

import { bytes, createTransport, defineProtocol } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { createDnsResolver } from '../dns-resolver.ts';

const [dns, port] = process.argv.slice(2) as [string, string];
const protocol = defineProtocol({
  name: 'echo',
  methods: { echo: { request: bytes, response: bytes } },
});
const transport = createTransport({
  protocol,
  backends: [tcp()],
  resolve: createDnsResolver({ servers: [dns], scheme: 'tcp' }),
});
const say = (text: string) => void process.stdout.write(`${text}\n`);
await transport.send(`dns:///node.example:${port}`, 'echo', new Uint8Array(1));
say('answered');
await transport.dial(`dns:///nobody.example:${port}`).catch(({ code }) => say(code));
