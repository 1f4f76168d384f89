import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { createPortNetwork } from './port-network.ts';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
const backends = [createPortNetwork().backend()];

const server = createTransport('port://north', { protocol: echo, backends });
serve(server, { echo: (request) => request });
await server.listen();

const client = createTransport({ protocol: echo, backends });
console.log(await client.send('port://north', 'echo', new Uint8Array([1, 2, 3])));
await client.close();
await server.close();
