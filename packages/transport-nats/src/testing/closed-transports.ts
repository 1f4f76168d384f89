// A program that closes its transports: a test observes whether it ends. Its argument is the
// address of a NATS server.

import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { nats } from '../nats.ts';

const address = `nats://${process.argv[2]}`;
const protocol = defineProtocol({
  name: 'echo',
  methods: { echo: { request: bytes, response: bytes } },
});
const say = (text: string | undefined) => void process.stdout.write(`${text}\n`);
const server = createTransport(`${address}/server`, { protocol, backends: [nats()] });
serve(server, { echo: (echoed) => echoed });
await server.listen();
const client = createTransport({ protocol, backends: [nats()] });
await client.send(`${address}/server`, 'echo', new Uint8Array(1));
say('answered');
await client.dial(`${address}/nobody`).catch(({ reason }) => say(reason));
await Promise.all([client.close(), server.close()]);
say('closed');
