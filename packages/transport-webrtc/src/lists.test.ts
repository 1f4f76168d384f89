// Tests of the nodes that a node allows and denies, and of changes of these lists.

import {
  createIdentity,
  type Identity,
  type PeerLists,
  type PeerListsUpdate,
} from '@trunkline/security';
import { createTransport, serve, TransportError } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { createMemorySignaling } from './memory-signaling.ts';
import type { SignalRelay } from './signal.ts';
import { echo as protocol } from './testing/echo.ts';
import { createFakeRtc } from './testing/fake-rtc.ts';
import { bound } from './testing/lying-signal.ts';
import { rejection } from './testing/rejection.ts';
import { createWebRtcStreamLayer, webrtc } from './webrtc.ts';

const request = Uint8Array.of(1);
const [ada, bob, eve] = [createIdentity(), createIdentity(), createIdentity()];

test('a node that is denied or not listed is refused, unless it is dialed by its id', async (t) => {
  const node = realm(t);
  const [friend, stranger] = [await node(ada), await node(eve)];
  const denying = await node(bob, { deny: [eve.nodeId] });
  const listing = await node(createIdentity(), { allow: [ada.nodeId] });
  for (const { at } of [denying, listing]) {
    t.deepEqual(await friend.transport.send(at, 'echo', request), request);
    const { code, reason } = await rejection(stranger.transport.send(at, 'echo', request));
    t.deepEqual([code, reason], ['permission_denied', 'denied']);
  }
  t.deepEqual(await listing.transport.send(stranger.at, 'echo', request), request);
});

test('a node that is denied while connected is disconnected at once, and admitted again later', async (t) => {
  const node = realm(t);
  const [server, client] = [await node(bob), await node(ada)];
  await client.transport.send(server.at, 'echo', request);
  server.updatePeers({ deny: [ada.nodeId] });
  t.deepEqual(server.transport.remotes(), []);
  t.is((await rejection(client.transport.send(server.at, 'echo', request))).reason, 'denied');
  server.updatePeers({ deny: [] });
  t.deepEqual(await client.transport.send(server.at, 'echo', request), request);
});

test('the relay of signaling gets the lists, and their changes', (t) => {
  const updates: PeerListsUpdate[] = [];
  const relay = {
    updatePeers: (lists: PeerListsUpdate) => void updates.push(lists),
  } as SignalRelay;
  const signal = createMemorySignaling().signal(bob.nodeId);
  const layer = createWebRtcStreamLayer({
    signal: { ...bound(signal), relay },
    identity: bob,
    deny: [eve.nodeId],
  });
  layer.updatePeers({ deny: [] });
  t.deepEqual(updates, [{ allow: undefined, deny: [eve.nodeId] }, { deny: [] }]);
});

test('lists need an identity, and hold node ids', (t) => {
  const signal = createMemorySignaling().signal('bob');
  const create = (options: object) => () => createWebRtcStreamLayer({ signal, ...options });
  const TYPE_ERROR = { instanceOf: TypeError };
  t.throws(create({ deny: [eve.nodeId] }), { ...TYPE_ERROR, message: /need 'identity'/ });
  t.throws(create({ identity: bob, allow: ['eve'] }), { ...TYPE_ERROR, message: /allow: must be/ });
  t.throws(() => create({})().updatePeers({ deny: [] }), { instanceOf: TransportError });
  const layer = create({ identity: bob })();
  t.throws(() => layer.updatePeers({ deny: ['eve'] }), { ...TYPE_ERROR, message: /deny: must be/ });
});

/** Returns a function that creates listening nodes, which find each other. */
function realm(t: ExecutionContext) {
  const signaling = createMemorySignaling();
  const rtc = createFakeRtc();
  return async (identity: Identity, lists: PeerLists = {}) => {
    const backend = webrtc({ signal: signaling.signal(identity.nodeId), identity, rtc, ...lists });
    const transport = createTransport('webrtc://0', { protocol, backends: [backend] });
    serve(transport, { echo: (echoed) => echoed });
    await transport.listen();
    t.teardown(() => transport.close());
    const { updatePeers } = backend;
    return { transport, updatePeers, at: transport.localAddr() };
  };
}
