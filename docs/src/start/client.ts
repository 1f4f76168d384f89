import { createTransport } from 'trunkline';
import { greeter } from './greeter.ts';

const address = process.argv[2] ?? 'tcp://127.0.0.1:7000';
const client = createTransport({ protocol: greeter });
console.log(await client.to(address).greet({ name: 'Ada' }));
await client.close();
