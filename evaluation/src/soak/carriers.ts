// The backends of the soak, each with a way to open two transports that can reach each other.

import { identityOf, type Role, tlsOf } from '@trunkline/bench/secure/nodes';
import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { type CommonOptions, createTransport } from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import { direct } from '@trunkline/transport-inmem';
import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import type { TlsOptions } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { createWsStreamLayer } from '@trunkline/transport-ws/layer';
import { protocol, type Soaked } from './protocol.ts';

export interface Carrier {
  readonly name: string;
  /** @param wrap wraps the client's layer, if the backend has one. */
  open(
    role: Role,
    options?: CommonOptions,
    wrap?: (layer: StreamLayer) => StreamLayer,
  ): Promise<Soaked>;
}

const streams = createInmemStreams();
const net = direct();
net.connectAll();

export const CARRIERS: readonly Carrier[] = [
  {
    name: 'inmem',
    open: async (_role, options) =>
      createTransport('inmem://', { ...options, protocol, backends: [net] }),
  },
  over('inmem-streams', async () => streams.layer()),
  over('tcp', async () => createTcpStreamLayer()),
  over('tls', async (role) => createTcpStreamLayer({ tls: await tls(role) })),
  over('ws', async () => createWsStreamLayer()),
  over('wss', async (role) => createWsStreamLayer({ tls: await tls(role) })),
  over('noise', async (role) =>
    createNoiseStreamLayer(createTcpStreamLayer(), { identity: identities[role] }),
  ),
];

function over(name: string, layerOf: (role: Role) => Promise<StreamLayer>): Carrier {
  return {
    name,
    async open(role, options, wrap = (layer) => layer) {
      return new NetworkTransport({ ...options, protocol, stream: wrap(await layerOf(role)) });
    },
  };
}

/**
 * The TLS options of each role, made once: a connection should cost a handshake, but no new
 * certificate.
 */
const credentials = new Map<Role, Promise<TlsOptions>>();
function tls(role: Role): Promise<TlsOptions> {
  const made = credentials.get(role) ?? tlsOf(role);
  credentials.set(role, made);
  return made;
}

const identities = { server: identityOf('server'), client: identityOf('client') };
