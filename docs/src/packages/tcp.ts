import { defineProtocol, json, serve } from '@trunkline/transport-core';
import { createTcpTransport } from '@trunkline/transport-tcp';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  methods: { say: { request: json(z.string()), response: json(z.string()) } },
});
const server = createTcpTransport({ protocol: chat, bindAddr: '127.0.0.1:0' }); // port 0: one that is free
serve(server, {
  say: async (text, rpc) => `you are ${await server.send(rpc.from, 'say', `who says ${text}?`)}`,
}); // calls back
await server.listen();

const client = createTcpTransport({ protocol: chat }); // does not listen, and yet is called, over the connection that it made
serve(client, { say: () => 'Ada' });
console.log(await client.send(server.advertiseAddr(), 'say', 'hello'));
await client.close();
await server.close();
