import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { unix } from './unix-socket.ts';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
const backends = [unix()];
const address = `unix://${join(tmpdir(), `echo-${process.pid}.sock`)}`;
const server = createTransport(address, { protocol: echo, backends });
serve(server, { echo: (request) => request });
await server.listen();

const client = createTransport({ protocol: echo, backends });
console.log(await client.send(address, 'echo', new Uint8Array([1, 2, 3])));
await client.close();
await server.close();
