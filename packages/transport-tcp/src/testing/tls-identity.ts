// The identity suite of TCP under mutual TLS, in two parts. Its sweeps make a connection for each
// byte or bit of a handshake, and take most of its time.

import * as identity from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import type { TestFunction } from '@trunkline/transport-testkit';
import { tlsIdentitySuite } from '@trunkline/transport-testkit/tls';
import type { TestFn } from 'ava';
import { tcp } from '../tcp.ts';
import { createTcpStreamLayer } from '../tcp-stream-layer.ts';
import { rawTlsLayer } from './raw-tls.ts';

/** Declares the sweeps of the suite, or all its other cases. */
export function tlsIdentity(test: TestFn, part: 'sweeps' | 'others'): Promise<void> {
  const declare: TestFunction = (title, run) => {
    if (SWEEP.test(title) === (part === 'sweeps')) test(title, run);
  };
  const skip: TestFunction = (title, run) => {
    if (part === 'others') test.skip(title, run);
  };
  return tlsIdentitySuite(
    Object.assign(declare, { skip }),
    { ...identity, day },
    {
      name: 'tls',
      transport: ({ address = 'tcp://127.0.0.1:0', tls, ...options }) =>
        createTransport(address, { ...options, backends: [tcp({ tls })] }),
      layer: (tls) => createTcpStreamLayer({ tls }),
      plain: {
        transport: (options) =>
          createTransport('tcp://127.0.0.1:0', { ...options, backends: [tcp()] }),
      },
      beneath: { layer: () => createTcpStreamLayer() },
      raw: rawTlsLayer,
    },
  );
}

const SWEEP = /at any byte|one changed bit in any byte/;
const day = (fromNow: number) => new Date(Date.now() + fromNow * 86_400_000);
