// Identity tests of WebSocket under mutual TLS.

import * as identity from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { tlsIdentitySuite } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { rawWssLayer } from './testing/raw-wss.ts';
import { ws } from './ws.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const day = (fromNow: number) => new Date(Date.now() + fromNow * 86_400_000);

await tlsIdentitySuite(
  test,
  { ...identity, day },
  {
    name: 'wss',
    transport: ({ address = 'wss://127.0.0.1:0', tls, ...options }) =>
      createTransport(address, { ...options, backends: [ws({ tls })] }),
    layer: (tls) => createWsStreamLayer({ tls }),
    plain: {
      transport: (options) => createTransport('ws://127.0.0.1:0', { ...options, backends: [ws()] }),
      toSecured: (address) => address.replace('wss://', 'ws://'),
      fromSecured: (address) => address.replace('ws://', 'wss://'),
    },
    beneath: {
      layer: createTcpStreamLayer,
      under: (address) => new URL(address).host,
      over: (address) => `wss://${address}/`,
    },
    raw: rawWssLayer,
  },
);
