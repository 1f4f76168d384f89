import { createAdmin } from '@trunkline/admin';
import { serveDashboard } from '@trunkline/admin/dashboard';
import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

// A node that shows its state to programs on this machine.
const admin = createAdmin({ allow: ({ endpoint }) => endpoint.startsWith('127.0.0.1:') });
const { observer } = admin;
const node = createTransport('tcp://127.0.0.1:0', {
  protocol: greeter,
  backends: [tcp()],
  observer,
});
serve(node, { greet: (name) => `Hello, ${name}!` });
admin.serve({ transport: node });
await node.listen();

// Its dashboard: it shows this node, and all others whose addresses you add.
const dashboard = await serveDashboard(node, { admin });
console.log(dashboard.nodes);
console.log(dashboard.url.replace(/token=.*/, 'token=…'));

await dashboard.close();
await node.close();
