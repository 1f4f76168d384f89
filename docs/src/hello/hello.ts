import { createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { tcp } from '@trunkline/transport-tcp';
import { z } from 'zod';

const greet = { request: json(z.string()), response: json(z.string()) };
const greeter = defineProtocol({ name: 'greeter', methods: { greet } });
const backends = [tcp(), inmem()];
const address = 'tcp://127.0.0.1:0';

const server = createTransport(address, { protocol: greeter, backends });
serve(server, { greet: (name) => `Hello, ${name}!` });
await server.listen();

const client = createTransport({ protocol: greeter, backends });
console.log(server.localAddr(), await client.send(server.localAddr(), 'greet', 'Ada'));
await client.close();
await server.close();
