import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  methods: { say: { request: json(z.string()), response: json(z.string()) } },
});
const [ada, bob] = [createIdentity(), createIdentity()]; // keep one: `identity.key` is its PEM, parseIdentity reads it
const server = createTransport('tcp://127.0.0.1:0', {
  protocol: chat,
  backends: [secured(tcp(), { identity: bob, allow: [ada.nodeId] })],
});
serve(server, {
  say: (text, rpc) => `${text}, ${rpc.from.nodeId === ada.nodeId ? 'Ada' : 'stranger'}`,
});
await server.listen();

const client = createTransport({ protocol: chat, backends: [secured(tcp(), { identity: ada })] });
console.log(await client.send(`${bob.nodeId}@${server.advertiseAddr()}`, 'say', 'hello')); // only Bob gets the message
const error = await client
  .send(`${'0'.repeat(64)}@${server.advertiseAddr()}`, 'say', 'hello')
  .catch((error) => error);
console.log(error.code, error.reason);
await client.close();
await server.close();
