// The suite over sockets on loopback whose ends prove who they are.

import { createAuthority, createIdentity } from '@trunkline/identity';
import { secure } from '@trunkline/stream-noise';
import { NetworkTransport } from '@trunkline/transport-core';
import { createTcpStreamLayer, createTcpTransport } from '@trunkline/transport-tcp';
import { createWsTransport } from '@trunkline/transport-ws';
import { idle } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

const authority = createAuthority();

/** Key and certificate of a new node of the one authority. */
async function papers() {
  const { cert, issue } = await authority;
  const identity = createIdentity();
  return { key: identity.key, cert: await issue(identity), ca: cert };
}

gossipSuite(
  real('TLS', () => async () => {
    const tls = await papers();
    return { proven: true, open: (bindAddr) => createTcpTransport({ protocol: idle, bindAddr, tls }) };
  }),
);

gossipSuite(
  real('secure WebSocket', () => async () => {
    const tls = await papers();
    return { proven: true, open: (bindAddr = 'wss://127.0.0.1:0') => createWsTransport({ protocol: idle, bindAddr, tls }) };
  }),
);

gossipSuite(
  real('noise over TCP', () => () => {
    const identity = createIdentity();
    return {
      proven: true,
      open: (bindAddr) => new NetworkTransport({ protocol: idle, stream: secure(createTcpStreamLayer({ bindAddr }), { identity }) }),
    };
  }),
);
