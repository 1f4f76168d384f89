import { createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  methods: { say: { request: json(z.string()), response: json(z.string()) } },
});
const server = createTransport('tcp://127.0.0.1:0', { protocol: chat, backends: [tcp()] }); // port 0: one that is free
serve(server, {
  say: async (text, rpc) => `you are ${await server.send(rpc.from, 'say', `who says ${text}?`)}`,
}); // calls back
await server.listen();

const client = createTransport({ protocol: chat, backends: [tcp()] }); // does not listen, and yet is called, over the connection that it made
serve(client, { say: () => 'Ada' });
console.log(await client.send(server.advertiseAddr(), 'say', 'hello'));
await client.close();
await server.close();
