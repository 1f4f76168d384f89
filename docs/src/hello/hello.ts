import { createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { tcp } from '@trunkline/transport-tcp';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20, // its number on a connection, 0x10 to 0xff: the same at all nodes
  methods: {
    greet: { id: 1, request: json(z.object({ name: z.string() })), response: json(z.string()) },
  },
});
const backends = [tcp(), inmem()];
const address = 'tcp://127.0.0.1:0';

const server = createTransport(address, { protocol: greeter, backends });
serve(server, { greet: ({ name }) => `Hello, ${name}!` });
await server.listen();

const client = createTransport({ protocol: greeter, backends });
const reply = await client.send(server.localAddr(), 'greet', { name: 'Ada' }, { timeout: 5_000 });
console.log(`${server.localAddr()} says: ${reply}`);
await client.close();
await server.close();
