// Identity tests of TCP under mutual TLS.

import * as identity from '@trunkline/identity';
import { tlsIdentitySuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createTcpTransport } from './create-tcp-transport.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';
import { rawTlsLayer } from './testing/raw-tls.ts';

const day = (fromNow: number) => new Date(Date.now() + fromNow * 86_400_000);

await tlsIdentitySuite(
  test,
  { ...identity, day },
  {
    name: 'tls',
    transport: (options) => createTcpTransport(options),
    layer: (tls) => createTcpStreamLayer({ tls }),
    plain: { transport: (options) => createTcpTransport(options) },
    beneath: { layer: () => createTcpStreamLayer() },
    raw: rawTlsLayer,
  },
);
