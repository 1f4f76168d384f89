// Tests of a page on transport-webrtc that loses its connection to Node. They find each other over a
// hub, and prove their node ids.

import { createIdentity } from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { webrtc } from '@trunkline/transport-webrtc';
import { createHubSignal } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import type { ExecutionContext } from 'ava';
import { inChromium, type TestBrowser } from './chromium.ts';
import { lines, QUICK } from './lines.ts';
import { lostConnections } from './lost-connections.ts';
import { startHub, TestServer } from './test-server.ts';

async function openLine(t: ExecutionContext, browser: TestBrowser) {
  const hub = await startHub(t);
  const identity = createIdentity();
  const signal = createHubSignal({ address: hub, backends: [ws()], identity });
  t.teardown(() => signal.close());
  const opened = await browser.open(t);
  const nodeId = await opened.ask('join', hub, 3_000);
  const openServer = () => {
    const backends = [webrtc({ signal, identity })];
    const options = { protocol: lines, keepAlive: QUICK, backends };
    return TestServer.listen(t, createTransport('webrtc://0', options));
  };
  return { ...opened, nodeId, serverId: identity.nodeId, openServer };
}

lostConnections(openLine);

inChromium('a page and Node prove their node ids; another id is refused', async (t, browser) => {
  const { ask, nodeId, serverId, openServer } = await openLine(t, browser);
  const server = await openServer();
  const target = `${serverId}@${server.address}`;
  void ask('call', target, 'wait', { timeout: 60_000 }).catch(() => {});
  const { from } = await server.waiting();
  t.is(from.nodeId, nodeId);
  const other = `${createIdentity().nodeId}@${server.address}`;
  t.like(await ask('call', other, 'echo'), { reason: 'identity_mismatch', sent: false });
});

inChromium('calls fail with their deadline while a node is not there', async (t, browser) => {
  const { ask, openServer } = await openLine(t, browser);
  const { address, transport } = await openServer();
  t.is((await ask('call', address, 'wait', { timeout: 300 })).code, 'deadline_exceeded');
  await transport.close();
  await ask('disconnected');
  const failed = await ask('call', address, 'echo');
  t.like(failed, { code: 'unavailable', reason: 'connection_refused', sent: false });
});
