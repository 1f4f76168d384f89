// Tests of dials over the hub and over WAMP while the STUN and TURN servers of both ends do not
// answer. They take real time, because the WebRTC library knows no other clock.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createIdentity, type Identity } from '@trunkline/security';
import { createTransport, serve } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import type { Signal } from './signal.ts';
import { hubFixture } from './signaling/testing/nodes.ts';
import { echo as protocol } from './testing/echo.ts';
import { router } from './wamp/testing/router.ts';
import { createWampSignal } from './wamp/wamp-signal.ts';
import { webrtc } from './webrtc.ts';

test.serial('twenty of twenty dials over a hub connect in the default time', async (t) => {
  const hub = await hubFixture(t, { limits: { ratePerSource: 1_000 } });
  await dialTwenty(t, (identity) => hub.node({ identity }));
});

test.serial('twenty of twenty dials over a WAMP router connect in the default time', async (t) => {
  t.timeout(120_000);
  const { url } = await router(t);
  await dialTwenty(t, ({ nodeId }) => {
    const signal = createWampSignal({ address: url, nodeId });
    t.teardown(() => signal.close());
    return signal;
  });
});

async function dialTwenty(t: ExecutionContext, signalOf: (identity: Identity) => Signal) {
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await once(silent, 'listening');
  const address = `127.0.0.1:${silent.address().port}`;
  const iceServers = [
    { urls: `stun:${address}` },
    { urls: `turn:${address}`, username: 'ada', credential: 'secret' },
  ];
  const node = () => {
    const identity = createIdentity();
    const transport = createTransport('webrtc://0', {
      protocol,
      backends: [webrtc({ signal: signalOf(identity), identity, iceServers })],
    });
    serve(transport, { echo: (echoed) => echoed });
    t.teardown(() => transport.close());
    return transport;
  };
  const listener = node();
  await listener.listen();
  for (let i = 0; i < 20; i++) {
    const dialer = node();
    await t.notThrowsAsync(dialer.dial(listener.localAddr()));
    await dialer.close();
  }
}
