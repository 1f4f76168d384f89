import { adminProtocol, createAdmin, followNode } from '@trunkline/admin';
import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

// The node: create its admin first, because it observes the transport.
const admin = createAdmin({ allow: (remote) => remote.endpoint.startsWith('127.0.0.1:') });
const backends = [tcp()];
const { observer } = admin;
const node = createTransport('tcp://127.0.0.1:0', { protocol: greeter, backends, observer });
serve(node, { greet: (name) => `Hello, ${name}!` });
admin.serve({ transport: node }); // and peers, gossip, log, if the node has them
await node.listen();
const address = node.advertiseAddr();

// The tool.
const tool = createTransport({ protocol: greeter, backends });
const client = tool.mount(adminProtocol).to(address);
await tool.send(address, 'greet', 'Ada');
for await (const { node, connections, calls } of followNode(client)) {
  console.log(`${node.state}, ${Object.keys(connections).length} connection`);
  console.log(calls['server greeter/greet']?.codes);
  break;
}
console.log(await client.drain({}).catch((error) => error.message));
await tool.close();
await node.close();
