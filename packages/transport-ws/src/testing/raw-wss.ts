// WebSockets over raw TLS ends without any checks of ours: they present the certificates that they
// are given and accept any peer.

import { createServer, type Server } from 'node:https';
import { connect } from 'node:tls';
import { systemClock } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import type { RawTlsOptions, TlsSessions } from '@trunkline/transport-testkit/tls';
import { type ClientOptions, WebSocket } from 'ws';
import { SUB_PROTOCOL } from '../close-codes.ts';
import { WsConnection } from '../ws-connection.ts';
import { createWsStreamLayer } from '../ws-stream-layer.ts';

/** Creates a layer with such unchecked ends. */
export function rawWssLayer(options: RawTlsOptions, sessions: TlsSessions): StreamLayer {
  let server: Server | undefined;
  let above: StreamLayer | undefined;
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
        sessions.follow(socket);
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
  };
}
