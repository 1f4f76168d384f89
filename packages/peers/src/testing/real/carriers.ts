// Every kind of transport that peers run on, for tests of behavior that must hold on each of them.

import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { createTransport, type Transport } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { inmem } from '@trunkline/transport-inmem';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { ws } from '@trunkline/transport-ws';
import { echo } from '../cluster.ts';
import type { NodeCredentials } from './credentials.ts';
import { type Given, overTcp } from './real-fixture.ts';

/** A kind of transport to test. */
export interface Carrier {
  readonly name: string;
  /** True if each end proves its node id. */
  readonly proves: boolean;
  /** Returns a function that creates the transport of one node, which listens on a free port. */
  make(credentials: NodeCredentials): (given: Given) => Transport<typeof echo>;
}

export function overWs(given: Given): Transport<typeof echo> {
  return createTransport('ws://127.0.0.1:0', { ...given, backends: [ws()] });
}

function overWss({ tls }: NodeCredentials): (given: Given) => Transport<typeof echo> {
  return (given) => createTransport('wss://127.0.0.1:0', { ...given, backends: [ws({ tls })] });
}

export function overTls({ tls }: NodeCredentials): (given: Given) => Transport<typeof echo> {
  return (given) => createTransport('tcp://127.0.0.1:0', { ...given, backends: [tcp({ tls })] });
}

/** @param allow the nodes that may connect. Default: all. */
export function overNoise(
  { identity }: NodeCredentials,
  allow?: readonly string[],
): (given: Given) => Transport<typeof echo> {
  return (given) => {
    const clock = given.clock!;
    const layer = createTcpStreamLayer({ clock });
    const stream = createNoiseStreamLayer(layer, { identity, clock, allow });
    return new NetworkTransport({ ...given, stream });
  };
}

let names = 0;
const memory = inmem();

export const carriers: readonly Carrier[] = [
  {
    name: 'memory',
    proves: false,
    make: () => (given) =>
      createTransport(`inmem://way-${++names}`, { ...given, protocol: echo, backends: [memory] }),
  },
  { name: 'TCP', proves: false, make: () => overTcp },
  { name: 'WebSocket', proves: false, make: () => overWs },
  { name: 'TLS', proves: true, make: overTls },
  { name: 'WebSocket under TLS', proves: true, make: overWss },
  { name: 'noise', proves: true, make: (keys) => overNoise(keys) },
];
