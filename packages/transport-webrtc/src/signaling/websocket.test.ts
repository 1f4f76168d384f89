// Tests of a hub on WebSocket, on an HTTP server of the program.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createIdentity } from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import test from 'ava';
import { echo } from '../testing/echo.ts';
import { createSignalHub } from './hub.ts';
import { createHubSignal } from './hub-signal.ts';
import { signalingProtocol } from './protocol.ts';
import { listening, recorded } from './testing/nodes.ts';

const OPEN = { timeout: 5_000 };

test("a hub runs on the program's HTTP server, beside a protocol of its own", async (t) => {
  const server = createServer((_, response) => response.end('a page')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const transport = createTransport('ws://server/signal', {
    protocol: echo,
    backends: [ws({ server })],
  });
  const hub = createSignalHub({ transport });
  await transport.listen();
  t.teardown(() => transport.close());
  const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/signal`;
  await connectTwo(address);
  t.deepEqual(hub.snapshot().sessions, 0);
  await hub.close();
  await hub.close();
  t.true(server.listening);
});

test('a node whose connection is cut registers again by itself', async (t) => {
  const sockets = new Set<Socket>();
  const server = createServer().listen(0, '127.0.0.1');
  server.on('connection', (socket) => sockets.add(socket));
  await once(server, 'listening');
  t.teardown(() => server.close());
  const transport = createTransport('ws://server', {
    protocol: signalingProtocol,
    backends: [ws({ server })],
  });
  createSignalHub({ transport });
  await transport.listen();
  t.teardown(() => transport.close());
  const hub = transport.localAddr();
  const node = () =>
    createHubSignal({ address: hub, backends: [ws()], identity: createIdentity() });
  const [ada, bob] = [node(), node()];
  t.teardown(() => Promise.all([ada.close(), bob.close()]));
  const next = await listening(bob);
  for (const socket of sockets) socket.destroy();
  while ((await ada.open(bob.nodeId, OPEN).catch(() => undefined)) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 50));
  t.is((await next()).session.peer, ada.nodeId);
});

/** Opens a session between two nodes of a hub, and closes everything. */
async function connectTwo(hub: string): Promise<void> {
  const node = () =>
    createHubSignal({ address: hub, backends: [ws()], identity: createIdentity() });
  const [ada, bob] = [node(), node()];
  const next = await listening(bob);
  const dialed = recorded(await ada.open(bob.nodeId, OPEN));
  const accepted = await next();
  dialed.session.send({ type: 'offer', sdp: 'v=0' });
  await accepted.next();
  accepted.session.close();
  await dialed.closed;
  await Promise.all([ada.close(), bob.close()]);
}
