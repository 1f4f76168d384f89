// The backends that are soaked, each with a pair of transports that can reach each other.

import { secure } from '@trunkline/stream-noise';
import { type CommonOptions, NetworkTransport, type StreamLayer } from '@trunkline/transport-core';
import { createInmemStreams, createInmemTransport, type InmemTransport } from '@trunkline/transport-inmem';
import { createTcpStreamLayer, type TlsOptions } from '@trunkline/transport-tcp';
import { createWsStreamLayer } from '@trunkline/transport-ws';
import { identityOf, type Role, tlsOf } from '../secure/nodes.ts';
import { protocol, type Soaked } from './protocol.ts';

export interface Carrier {
  readonly name: string;
  /** @param wrap goes around the client's layer, where the backend is made of one. */
  open(role: Role, options?: CommonOptions, wrap?: (layer: StreamLayer) => StreamLayer): Promise<Soaked>;
  /** Lets a client dial a server whose address is not enough. */
  link?(client: Soaked, server: Soaked): void;
}

const streams = createInmemStreams();

export const CARRIERS: readonly Carrier[] = [
  {
    name: 'inmem',
    open: async (_role, options) => createInmemTransport({ ...options, protocol }),
    link: (client, server) => (client as InmemTransport<typeof protocol>).connect(server.localAddr(), server as InmemTransport<typeof protocol>),
  },
  over('inmem-streams', async () => streams.layer()),
  over('tcp', async () => createTcpStreamLayer()),
  over('tls', async (role) => createTcpStreamLayer({ tls: await tls(role) })),
  over('ws', async () => createWsStreamLayer()),
  over('wss', async (role) => createWsStreamLayer({ tls: await tls(role) })),
  over('noise', async (role) => secure(createTcpStreamLayer(), { identity: identities[role] })),
];

function over(name: string, layerOf: (role: Role) => Promise<StreamLayer>): Carrier {
  return {
    name,
    async open(role, options, wrap = (layer) => layer) {
      return new NetworkTransport({ ...options, protocol, stream: wrap(await layerOf(role)) });
    },
  };
}

/** One for each role: a connection costs a handshake, not a certificate as well. */
const papers = new Map<Role, Promise<TlsOptions>>();
function tls(role: Role): Promise<TlsOptions> {
  const made = papers.get(role) ?? tlsOf(role);
  papers.set(role, made);
  return made;
}

const identities = { server: identityOf('server'), client: identityOf('client') };
