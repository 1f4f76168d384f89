// A node as a process of its own, whose CPU time is measured. It prints its address, and answers
// each line of its input with the microseconds of CPU that it has used.

import process from 'node:process';
import { createInterface } from 'node:readline';
import { createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { z } from 'zod';
import { createAdmin } from '../index.ts';

const protocol = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});
const admin = createAdmin({ allow: () => true });
const node = createTransport('tcp://127.0.0.1:0', {
  protocol,
  backends: [tcp()],
  observer: admin.observer,
});
serve(node, { greet: (name) => `Hello, ${name}!` });
admin.serve({ transport: node });
await node.listen();
process.stdout.write(`${node.advertiseAddr()}\n`);
for await (const _ of createInterface(process.stdin)) {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${user + system}\n`);
}
await node.close();
