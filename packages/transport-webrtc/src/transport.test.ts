// Tests of transports over WebRTC that dial each other simultaneously.

import { createPeers } from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import { createTransport, serve } from '@trunkline/transport-core';
import test from 'ava';
import { createMemorySignaling } from './memory-signaling.ts';
import { createCountingRtc } from './testing/counting-rtc.ts';
import { echo as protocol } from './testing/echo.ts';
import { webrtc } from './webrtc.ts';

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
      serve(transport, { echo: (echoed) => echoed });
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
