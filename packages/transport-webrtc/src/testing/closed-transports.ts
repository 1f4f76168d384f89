// A program that closes its transports, but not their signal: a test observes whether it ends. Its
// arguments are the kind of the signal, the address of the hub or of the router, and a node.

import { createIdentity } from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import { createHubSignal } from '../signaling/hub-signal.ts';
import { createWampSignal } from '../wamp/wamp-signal.ts';
import { webrtc } from '../webrtc.ts';
import { echo } from './echo.ts';

const [kind, address, node] = process.argv.slice(2) as [string, string, string];
const identity = createIdentity();
const { nodeId } = identity;
const signal =
  kind === 'hub'
    ? createHubSignal({ address, backends: [ws()], identity })
    : createWampSignal({ address, nodeId });
for (let i = 1; i <= 2; i++) {
  const backends = [webrtc({ signal, identity })];
  const transport = createTransport('webrtc://0', { protocol: echo, backends });
  await transport.listen();
  await transport.send(`webrtc://${node}`, 'echo', new Uint8Array(1));
  await transport.close();
  process.stdout.write(`closed ${i}\n`);
}
