import { createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const greet = { request: json(z.string()), response: json(z.string()) };
const greeter = defineProtocol({ name: 'greeter', methods: { greet } });
const server = createTransport('tcp://127.0.0.1:0', { protocol: greeter });
serve(server, { greet: (name) => `Hello, ${name}!` });
await server.listen();
const client = createTransport({ protocol: greeter });
console.log(await client.to(server.localAddr()).greet('Ada'));
await client.close();
await server.close();
