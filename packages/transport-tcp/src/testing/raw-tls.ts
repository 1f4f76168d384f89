// TLS ends made by node:tls without any checks of ours: they present the certificates that they are
// given and accept any peer.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { systemClock } from '@trunkline/transport-core';
import {
  parseHostPort,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import type { RawTlsOptions, TlsSessions } from '@trunkline/transport-testkit/tls';
import { TcpConnection } from '../tcp-connection.ts';

/** Creates a layer with such unchecked ends. */
export function rawTlsLayer(options: RawTlsOptions, sessions: TlsSessions): StreamLayer {
  const common = { rejectUnauthorized: false, ...options };
  let server: Server | undefined;
  return {
    async listen(accept) {
      const listening = createServer(
        { ...common, requestCert: true, allowHalfOpen: true },
        (socket) => accept(new RawTlsConnection(socket)),
      );
      listening.on('tlsClientError', () => {});
      server = listening;
      await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    },
    dial(address): Promise<StreamConnection> {
      const { host, port } = parseHostPort(address.replace('tcp://', ''))!;
      return new Promise((resolve, reject) => {
        const socket = connect({ ...common, host, port, checkServerIdentity: () => undefined });
        sessions.follow(socket);
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('closed in the handshake')));
        socket.once('secureConnect', () => resolve(new RawTlsConnection(socket)));
      });
    },
    localAddr: () => `127.0.0.1:${(server!.address() as AddressInfo).port}`,
    advertiseAddr: () => `127.0.0.1:${(server!.address() as AddressInfo).port}`,
    close: async () => void server?.close(),
  };
}

class RawTlsConnection extends TcpConnection {
  readonly #raw: TLSSocket;

  constructor(socket: TLSSocket) {
    super(socket, systemClock);
    this.#raw = socket;
  }

  override destroy(): void {
    this.#raw.destroy();
  }
}
