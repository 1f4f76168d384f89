import { webrtc } from '@trunkline/transport-webrtc';
import {
  createHubSignal,
  createSignalHub,
  signalingProtocol,
} from '@trunkline/transport-webrtc/signaling';
import { createTransport, defineProtocol, json, serve, ws } from 'trunkline';
import { createIdentity, type Identity } from 'trunkline/security';
import { z } from 'zod';

// The hub, which all nodes can reach.
const hub = createTransport('ws://127.0.0.1:0', { protocol: signalingProtocol });
createSignalHub({ transport: hub, realms: ['main'] });
await hub.listen();

const chat = defineProtocol({
  name: 'chat',
  methods: { say: { request: json(z.string()), response: json(z.string()) } },
});
function node(identity: Identity) {
  const signal = createHubSignal({ address: hub.localAddr(), backends: [ws()], identity });
  return createTransport('webrtc://0', {
    protocol: chat,
    backends: [webrtc({ signal, identity })],
  });
}
const bob = node(createIdentity());
serve(bob, { say: (text) => `Bob hears: ${text}` });
await bob.listen();

const ada = node(createIdentity());
console.log(await ada.send(bob.advertiseAddr(), 'say', 'hello')); // webrtc:// and Bob's node id
await ada.close();
await bob.close();
await hub.close();
