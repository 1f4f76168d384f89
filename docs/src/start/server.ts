import { createTransport, serve } from 'trunkline';
import { greeter } from './greeter.ts';

const address = process.argv[2] ?? 'tcp://127.0.0.1:7000';
const server = createTransport(address, { protocol: greeter });
serve(server, { greet: ({ name }) => `Hello, ${name}!` });
await server.listen();
console.log(`listening on ${server.localAddr()}`);
