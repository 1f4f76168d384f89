// Identity tests of WebSocket under mutual TLS.

import * as identity from '@trunkline/security';
import { tlsIdentitySuite } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { createWsTransport } from './create-ws-transport.ts';
import { createNetStreamLayer } from './testing/net-streams.ts';
import { rawWssLayer } from './testing/raw-wss.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const day = (fromNow: number) => new Date(Date.now() + fromNow * 86_400_000);

await tlsIdentitySuite(
  test,
  { ...identity, day },
  {
    name: 'wss',
    transport: (options) => createWsTransport(options),
    layer: (tls) => createWsStreamLayer({ tls }),
    plain: {
      transport: (options) => createWsTransport({ ...options, bindAddr: '127.0.0.1:0' }),
      toSecured: (address) => address.replace('wss://', 'ws://'),
      fromSecured: (address) => address.replace('ws://', 'wss://'),
    },
    beneath: {
      layer: createNetStreamLayer,
      under: (address) => new URL(address).host,
      over: (address) => `wss://${address}/`,
    },
    raw: rawWssLayer,
  },
);
