// TLS ends made by node:tls without any checks of ours: they present what they are given and accept
// any peer.

import type { AddressInfo } from 'node:net';
import {
  type ConnectionOptions,
  connect,
  createServer,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import { systemClock } from '@trunkline/transport-core';
import {
  parseHostPort,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { TcpConnection } from '../tcp-connection.ts';

/** A layer with such unchecked ends; `last()` is the socket of the last dial. */
export interface RawTlsLayer extends StreamLayer {
  last(): TLSSocket;
  /** Returns whether the last connection resumed a TLS session. */
  reused(): boolean;
  /** The session tickets that the server sent on the last connection. */
  readonly sessions: Buffer[];
}

export function rawTlsLayer(
  options: ConnectionOptions & Pick<TlsOptions, 'requestCert'>,
): RawTlsLayer {
  const common = { rejectUnauthorized: false, ...options };
  let server: Server | undefined;
  let last: TLSSocket | undefined;
  let reused = false;
  const sessions: Buffer[] = [];
  return {
    async listen(accept) {
      const listening = createServer(
        { ...(common as TlsOptions), requestCert: true, allowHalfOpen: true },
        (socket) => accept(new RawTlsConnection(socket)),
      );
      listening.on('tlsClientError', () => {});
      server = listening;
      await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    },
    dial(address): Promise<StreamConnection> {
      const { host, port } = parseHostPort(address)!;
      return new Promise((resolve, reject) => {
        const socket = connect({ ...common, host, port, checkServerIdentity: () => undefined });
        last = socket;
        sessions.length = 0;
        socket.on('session', (session) => sessions.push(session));
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('closed in the handshake')));
        socket.once('secureConnect', () => {
          reused = socket.isSessionReused();
          resolve(new RawTlsConnection(socket));
        });
      });
    },
    localAddr: () => `127.0.0.1:${(server!.address() as AddressInfo).port}`,
    advertiseAddr: () => `127.0.0.1:${(server!.address() as AddressInfo).port}`,
    close: async () => void server?.close(),
    last: () => last!,
    reused: () => reused,
    sessions,
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

/** Asks for a renegotiation, which TLS 1.3 does not have. Resolves with whether it succeeded. */
export function renegotiate(socket: TLSSocket): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      if (
        socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error === null)) !==
        true
      )
        resolve(false);
    } catch {
      resolve(false);
    }
  });
}
