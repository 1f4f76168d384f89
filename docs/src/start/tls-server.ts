import { readFileSync } from 'node:fs';
import { serveReflection } from '@trunkline/admin/reflection';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { greeter } from './greeter.ts';

const address = process.argv[2] ?? 'tcp://127.0.0.1:7000';
const read = (file: string) => readFileSync(file, 'utf8');
const tls = { key: read('node.key'), cert: read('node.crt'), ca: read('ca.crt') };
const server = createTransport(address, { protocol: greeter, backends: [tcp({ tls })] });
serve(server, { greet: ({ name }) => `Hello, ${name}!` });
serveReflection(server);
await server.listen();
console.log(`listening on ${server.localAddr()}`);
