// WebSockets over raw TLS ends without any checks of ours: they present what they are given and
// accept any peer.

import { createServer, type Server } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { systemClock } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import { type ClientOptions, WebSocket } from 'ws';
import { SUB_PROTOCOL } from '../close-codes.ts';
import { WsConnection } from '../ws-connection.ts';
import { createWsStreamLayer } from '../ws-stream-layer.ts';

/** A layer with such unchecked ends. */
export interface RawWssLayer extends StreamLayer {
  /** Returns the socket of the last dial. */
  last(): TLSSocket;
  /** Returns whether the last connection resumed a TLS session. */
  reused(): boolean;
  /** The session tickets that the server sent on the last connection. */
  readonly sessions: Buffer[];
}

export function rawWssLayer(options: ConnectionOptions): RawWssLayer {
  let server: Server | undefined;
  let above: StreamLayer | undefined;
  let last: TLSSocket | undefined;
  let reused = false;
  const sessions: Buffer[] = [];
  return {
    async listen(accept) {
      const { key, cert } = options;
      const listening = createServer({
        key: key!,
        cert: cert!,
        requestCert: true,
        rejectUnauthorized: false,
      });
      server = listening;
      await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
      above = createWsStreamLayer({ server: listening });
      await above.listen(accept);
    },
    dial(address): Promise<StreamConnection> {
      const url = new URL(address);
      return new Promise((resolve, reject) => {
        const socket = connect({
          rejectUnauthorized: false,
          ...options,
          host: url.hostname,
          port: Number(url.port),
          checkServerIdentity: () => undefined,
        });
        last = socket;
        sessions.length = 0;
        socket.on('session', (session) => sessions.push(session));
        socket.once('secureConnect', () => (reused = socket.isSessionReused()));
        socket.on('error', reject);
        const webSocket = new WebSocket(url, SUB_PROTOCOL, {
          createConnection: (() => socket) as ClientOptions['createConnection'],
        });
        webSocket.once('error', reject);
        webSocket.once('open', () =>
          resolve(new WsConnection('dialer', webSocket, socket, systemClock)),
        );
      });
    },
    localAddr: () => above!.localAddr(),
    advertiseAddr: () => above!.localAddr(),
    async close() {
      await above?.close();
      server?.close();
    },
    last: () => last!,
    reused: () => reused,
    sessions,
  };
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
