// Tests of transports over WebRTC: calls after the connection is open, and nodes that dial each
// other simultaneously.

import { createPeers } from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import {
  bytes,
  createTransport,
  defineProtocol,
  serve,
  type TransportError,
} from '@trunkline/transport-core';
import test from 'ava';
import { createMemorySignaling } from './memory-signaling.ts';
import { createCountingRtc } from './testing/counting-rtc.ts';
import { webrtc } from './webrtc.ts';

const protocol = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    wait: { id: 2, request: bytes, response: bytes },
  },
});
const request = Uint8Array.of(1, 2, 3);
const handlers = {
  echo: (echoed: Uint8Array) => echoed,
  wait: () => new Promise<Uint8Array>(() => {}),
};

test('a call on an open connection ends at its deadline, and the connection serves the next one', async (t) => {
  const signaling = createMemorySignaling();
  const node = (id: string) =>
    createTransport('webrtc://0', {
      protocol,
      backends: [webrtc({ signal: signaling.signal(id) })],
    });
  const [near, far] = [node('near'), node('far')];
  t.teardown(() => Promise.all([near.close(), far.close({ grace: 0 })]).then(() => {}));
  serve(far, handlers);
  await far.listen();
  const remote = await near.dial(far.localAddr());
  const error = await near.send(remote, 'wait', request, { timeout: 50 }).catch((error) => error);
  t.is((error as TransportError).code, 'deadline_exceeded');
  t.deepEqual(await near.send(remote, 'echo', request), request);
  t.is(near.remotes().length, 1);
});

test('two nodes that dial each other at once keep one connection, that of the lower id, and lose no call', async (t) => {
  const signaling = createMemorySignaling();
  const rtc = await createCountingRtc();
  const nodes = [createIdentity(), createIdentity()]
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
    .map((identity) => {
      const signal = signaling.signal(identity.nodeId);
      const transport = createTransport('webrtc://0', {
        protocol,
        backends: [webrtc({ signal, identity, rtc })],
      });
      serve(transport, handlers);
      t.teardown(() => transport.close());
      return { nodeId: identity.nodeId, transport };
    });
  await Promise.all(nodes.map(({ transport }) => transport.listen()));
  const [lower, higher] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
  const peers = [
    createPeers({ transport: lower.transport, persistent: [target(higher)] }),
    createPeers({ transport: higher.transport, persistent: [target(lower)] }),
  ];
  t.teardown(() => Promise.all(peers.map((each) => each.close())).then(() => {}));
  await Promise.all(peers.map((each) => each.start()));
  await Promise.all(peers.map((each) => each.ready({ timeout: 20_000 })));
  const calls = Array.from({ length: 20 }, (_, i) => {
    const [from, to] = i % 2 === 0 ? [lower, higher] : [higher, lower];
    return from.transport.send(`node:${to.nodeId}`, 'echo', Uint8Array.of(i));
  });
  t.deepEqual(
    await Promise.all(calls),
    calls.map((_, i) => Uint8Array.of(i)),
  );
  while (rtc.open() > 2) await new Promise((resolve) => setTimeout(resolve, 5));
  t.is(rtc.created(), 4, 'both have dialed');
  t.deepEqual(
    nodes.map(({ transport }) => transport.remotes().map(({ direction }) => direction)),
    [['out'], ['in']],
  );
});

function target({ nodeId }: { readonly nodeId: string }): string {
  return `${nodeId}@webrtc://${nodeId}`;
}
