// Transports of the victim and of the honest peer on each carrier, with default options unless an
// attack changes them.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { parseIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import {
  createTransport,
  type LimitOptions,
  type Observer,
  type Transport,
} from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import type { Carrier } from './carriers.ts';
import type { Credentials, RunCredentials } from './credentials.ts';
import { victimProtocol } from './victim-protocol.ts';

export interface NodeOptions {
  readonly carrier: Carrier;
  readonly credentials: RunCredentials;
  readonly limits?: LimitOptions | undefined;
  readonly origins?: readonly string[] | undefined;
  readonly observer?: Observer | undefined;
}

export interface Node {
  readonly transport: Transport<typeof victimProtocol>;
  /** The listening address, for raw sockets and for honest peers. */
  readonly host: string;
  readonly port: number;
  readonly address: string;
  close(): Promise<void>;
}

/** Opens a node that listens on loopback. */
export async function listeningNode(options: NodeOptions): Promise<Node> {
  const { credentials } = options;
  const site =
    options.carrier === 'ws-attached'
      ? createServer((_request, response) => response.end())
      : undefined;
  if (site !== undefined) await once(site.listen(0, '127.0.0.1'), 'listening');
  const transport = makeNode(options, credentials.victim, site);
  await transport.listen();
  const address = transport.advertiseAddr();
  const [, host, port] = /([\d.]+):(\d+)/.exec(address)!;
  return {
    transport,
    host: host!,
    port: Number(port),
    address,
    async close() {
      await transport.close();
      site?.close();
      site?.closeAllConnections();
    },
  };
}

/** Opens a node that only dials, over one connection, so that handles can be counted. */
export function dialingNode(options: NodeOptions): Transport<typeof victimProtocol> {
  return makeNode(options, options.credentials.honest, undefined, 1);
}

function makeNode(
  { carrier, credentials, limits, origins, observer }: NodeOptions,
  { key, cert }: Credentials,
  site: Server | undefined,
  maxPool?: number,
): Transport<typeof victimProtocol> {
  const tls = { key, cert, ca: credentials.ca };
  const common = { protocol: victimProtocol, limits, observer, maxPool };
  switch (carrier) {
    case 'tcp':
      return createTransport('tcp://127.0.0.1:0', { ...common, backends: [tcp()] });
    case 'tls':
      return createTransport('tcp://127.0.0.1:0', { ...common, backends: [tcp({ tls })] });
    case 'ws':
      return createTransport('ws://127.0.0.1:0', { ...common, backends: [ws({ origins })] });
    case 'wss':
      return createTransport('wss://127.0.0.1:0', { ...common, backends: [ws({ origins, tls })] });
    case 'ws-attached':
      return createTransport('ws://127.0.0.1:0', {
        ...common,
        backends: [ws({ origins, server: site })],
      });
    case 'noise': {
      const backends = [secured(tcp(), { identity: parseIdentity(key) })];
      return createTransport('tcp://127.0.0.1:0', { ...common, backends });
    }
  }
}
