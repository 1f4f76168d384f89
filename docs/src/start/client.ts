import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { greeter } from './greeter.ts';

const address = process.argv[2] ?? 'tcp://127.0.0.1:7000';
const client = createTransport({ protocol: greeter, backends: [tcp()] });
console.log(await client.send(address, 'greet', { name: 'Ada' }));
await client.close();
