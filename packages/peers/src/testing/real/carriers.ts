// Every kind of transport that peers run on, for tests of behavior that must hold on each of them.

import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { createTransport, type Transport } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { inmem } from '@trunkline/transport-inmem';
import {
  createTcpStreamLayer,
  createTcpTransport,
  type TcpTransportOptions,
} from '@trunkline/transport-tcp';
import { createWsTransport } from '@trunkline/transport-ws';
import { echo } from '../cluster.ts';
import type { NodeCredentials } from './credentials.ts';

type Given = TcpTransportOptions<typeof echo>;

/** A kind of transport to test. */
export interface Carrier {
  readonly name: string;
  /** True if each end proves its node id. */
  readonly proves: boolean;
  /** Returns a function that creates the transport of one node, which listens on a free port. */
  make(credentials: NodeCredentials): (given: Given) => Transport<typeof echo>;
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
  { name: 'TCP', proves: false, make: () => createTcpTransport },
  { name: 'WebSocket', proves: false, make: () => createWsTransport },
  {
    name: 'TLS',
    proves: true,
    make:
      ({ tls }) =>
      (given) =>
        createTcpTransport({ ...given, tls }),
  },
  {
    name: 'WebSocket under TLS',
    proves: true,
    make:
      ({ tls }) =>
      (given) =>
        createWsTransport({ ...given, tls }),
  },
  {
    name: 'noise',
    proves: true,
    make:
      ({ identity }) =>
      (given) =>
        new NetworkTransport({
          ...given,
          stream: createNoiseStreamLayer(createTcpStreamLayer({ clock: given.clock }), {
            identity,
            clock: given.clock!,
          }),
        }),
  },
];
