import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { createPigeonPost } from './pigeon-post.ts';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
const backends = [createPigeonPost().backend()];

const server = createTransport('pigeon://north', { protocol: echo, backends });
serve(server, { echo: (request) => request });
await server.listen();

const client = createTransport({ protocol: echo, backends });
console.log(await client.send('pigeon://north', 'echo', new Uint8Array([1, 2, 3])));
await client.close();
await server.close();
