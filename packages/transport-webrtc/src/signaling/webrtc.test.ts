// Tests of WebRTC transports that find each other over a hub.

import { createIdentity } from '@trunkline/security';
import { createTransport, serve } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { echo } from '../testing/echo.ts';
import { webrtc } from '../webrtc.ts';
import { type HubFixture, hubFixture } from './testing/nodes.ts';

const ping = new Uint8Array([1, 2, 3]);

test('two nodes connect over a hub, and prove their ids', async (t) => {
  const hub = await hubFixture(t);
  const [ada, bob] = [node(t, hub), node(t, hub)];
  await bob.transport.listen();
  t.deepEqual(await ada.transport.send(`webrtc://${bob.id}`, 'echo', ping), ping);
  const [remote] = ada.transport.remotes();
  t.is(remote!.nodeId, bob.id);
  t.true(remote!.endpoint.startsWith('webrtc:'));
  await hub.stop(); // the connection doesn't need it anymore
  t.deepEqual(await ada.transport.send(remote!, 'echo', ping), ping);
  await hub.start();
});

test('two nodes without a direct path connect over the relay of the hub', async (t) => {
  const hub = await hubFixture(t, { relay: {} });
  // Only TURN servers may be used, and there are none: no path is found.
  const options = { relay: true, iceTransportPolicy: 'relay', dialTimeout: 2_000 } as const;
  const [ada, bob] = [node(t, hub, options), node(t, hub, options)];
  await bob.transport.listen();
  t.deepEqual(await ada.transport.send(`webrtc://${bob.id}`, 'echo', ping), ping);
  const [remote] = ada.transport.remotes();
  t.is(remote!.endpoint, `relay:${bob.id}`);
  t.is(remote!.nodeId, bob.id);
  const long = new Uint8Array(100_000).fill(7);
  t.deepEqual(await ada.transport.send(remote!, 'echo', long), long);
});

/** A node whose transport echoes. */
function node(
  t: ExecutionContext,
  hub: HubFixture,
  { relay = false, iceTransportPolicy, dialTimeout }: NodeOptions = {},
) {
  const identity = createIdentity();
  const signal = hub.node({ identity, relay });
  const transport = createTransport('webrtc://0', {
    protocol: echo,
    backends: [webrtc({ signal, identity, iceTransportPolicy })],
    dialTimeout,
  });
  serve(transport, { echo: (request) => request });
  t.teardown(() => transport.close());
  return { id: identity.nodeId, transport };
}

interface NodeOptions {
  readonly relay?: boolean;
  readonly iceTransportPolicy?: 'relay';
  readonly dialTimeout?: number;
}
