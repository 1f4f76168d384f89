import { once } from 'node:events';
import { createServer } from 'node:http';
import { createTransport } from '@trunkline/transport-core';
import {
  createHubSignal,
  createSignalHub,
  signalingProtocol,
} from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { createIdentity } from 'trunkline/security';

const site = createServer((_request, response) => response.end('a page')).listen(0, '127.0.0.1'); // your own, with its pages
await once(site, 'listening');
const transport = createTransport('ws://server/signal', {
  protocol: signalingProtocol,
  backends: [ws({ server: site })],
});
const hub = createSignalHub({ transport, realms: ['main'] });
await transport.listen();

// A node: pass its signal to the WebRTC backend. Here the sessions are used by hand.
const node = () =>
  createHubSignal({ address: transport.localAddr(), backends: [ws()], identity: createIdentity() });
const [ada, bob] = [node(), node()];
await bob.listen((session) => {
  console.log('from Ada:', session.peer === ada.nodeId);
  session.attach({
    message: () => session.send({ type: 'answer', sdp: 'v=0' }),
    closed: () => console.log('closed'),
  });
});
const session = await ada.open(bob.nodeId, { timeout: 5_000 }); // rejects if Bob isn't there
const answered = new Promise((resolve) => session.attach({ message: resolve, closed: resolve }));
session.send({ type: 'offer', sdp: 'v=0' });
console.log('Bob:', await answered);
console.log(hub.snapshot());
session.close();

await ada.close();
await bob.close();
await transport.close();
site.close();
