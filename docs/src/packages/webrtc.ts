import { createIdentity, type Identity } from '@trunkline/security';
import { createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { createMemorySignaling, webrtc } from '@trunkline/transport-webrtc';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  methods: { say: { request: json(z.string()), response: json(z.string()) } },
});
const signaling = createMemorySignaling(); // between processes: createHubSignal
const node = (identity: Identity) =>
  createTransport('webrtc://0', {
    protocol: chat,
    backends: [webrtc({ signal: signaling.signal(identity.nodeId), identity })],
  });
const [ada, bob] = [createIdentity(), createIdentity()];
const server = node(bob);
serve(server, {
  say: (text, rpc) => `${text}, ${rpc.from.nodeId === ada.nodeId ? 'Ada' : 'stranger'}`,
});
await server.listen();

const client = node(ada);
console.log(await client.send(server.advertiseAddr(), 'say', 'hello'));
await client.close();
await server.close();
