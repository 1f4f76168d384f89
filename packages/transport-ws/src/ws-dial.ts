// The dialing side: opens one WebSocket to a URL, or rejects with an error that gives the reason.
// Tested in ws-connection.test.ts, upgrades.test.ts and given-addresses.test.ts.

import { connect, isIP, type Socket } from 'node:net';
import { type Clock, TransportError } from '@trunkline/transport-core';
import {
  type DialOptions,
  type PendingDials,
  reasonError,
  type StreamConnection,
  socketError,
} from '@trunkline/transport-core/backend';
import {
  fixedLookup,
  getBuiltinModule,
  type MutualTls,
  type TlsConnection,
  tlsDialError,
} from '@trunkline/transport-core/node';
import type { ClientOptions, WebSocket } from 'ws';
import { SUB_PROTOCOL } from './close-codes.ts';
import { readHeaders } from './headers.ts';
import { refusalError } from './refused-upgrade.ts';
import { targetUrl } from './ws-address.ts';
import { WsConnection } from './ws-connection.ts';
import { type WsLibrary, withWs } from './ws-library.ts';
import { WS_LIMITS } from './ws-limits.ts';
import type { WsStreamLayerOptions } from './ws-options.ts';

type Lookup = ReturnType<typeof fixedLookup>;

/** The parts of a layer that a dial uses. */
export interface DialContext {
  readonly clock: Clock;
  readonly tls: MutualTls | undefined;
  readonly headers: WsStreamLayerOptions['headers'];
  readonly dials: PendingDials;
}

/** Opens a WebSocket; rejects if it fails, is aborted, or takes longer than `options.timeout`. */
export function dialWebSocket(
  address: string,
  options: DialOptions,
  { clock, tls, headers, dials }: DialContext,
): Promise<StreamConnection> {
  const { nodeId, addresses } = options;
  const lookup = fixedLookup(addresses);
  return dials.open(address, options, ({ connected, failed, wanted }) => {
    const url = targetUrl(address);
    if (tls !== undefined && url.protocol !== 'wss:') throw notSecure(address);
    tls?.check();
    let socket: Socket | undefined;
    let secured: TlsConnection | undefined;
    const createConnection = () => {
      const done = (given: TlsConnection) => {
        secured = given;
      };
      socket =
        tls === undefined
          ? openSocket(url, lookup)
          : tls.secure(openPlain(url, lookup), { address, nodeId, done, failed });
      // Other error listeners may be attached too late.
      socket.on('error', () => {});
      return socket;
    };
    let webSocket: WebSocket | undefined;
    const onError = (error: Error) =>
      failed(secured === undefined ? dialError(error, address) : securedError(error, address));
    const open = ({ WebSocket }: WsLibrary) => {
      if (!wanted()) return;
      let given: Record<string, string> | undefined;
      try {
        given = headers && readHeaders(headers);
      } catch (error) {
        return failed(error);
      }
      const opening = new WebSocket(url, SUB_PROTOCOL, {
        ...WS_LIMITS,
        headers: given,
        followRedirects: false,
        createConnection: createConnection as ClientOptions['createConnection'],
      });
      webSocket = opening;
      opening.on('error', onError);
      opening.on('unexpected-response', (_request, { statusCode = 0, statusMessage = '' }) =>
        failed(refusalError(statusCode, statusMessage, address)),
      );
      opening.on('open', () => {
        opening.off('error', onError);
        connected(new WsConnection('dialer', opening, socket!, clock, { secured }));
      });
    };
    withWs(open, failed);
    return () => {
      secured?.release();
      // terminate() emits 'error' later, to the listener above, which then has no effect.
      webSocket?.terminate();
      socket?.destroy();
    };
  });
}

/**
 * Opens the WebSocket's underlying socket. This package opens it instead of `ws`, because its write
 * queue shows when memory is free again.
 */
function openSocket(url: URL, lookup: Lookup): Socket {
  if (url.protocol !== 'wss:') return openPlain(url, lookup);
  const { host, port } = placeOf(url);
  return getBuiltinModule('node:tls')
    .connect({
      host,
      port,
      lookup,
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: ['http/1.1'],
    })
    .setNoDelay();
}

function openPlain(url: URL, lookup: Lookup): Socket {
  return connect({
    ...placeOf(url),
    lookup,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  });
}

function placeOf(url: URL): { host: string; port: number } {
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || (url.protocol === 'wss:' ? 443 : 80),
  };
}

function notSecure(address: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot dial '${address}': this end has 'tls', so it dials only 'wss://'`,
    { target: address, sent: false },
  );
}

/**
 * Creates the error for a failure between the end of this side's TLS handshake and the upgrade: the
 * other end may have refused the certificate, which it receives last.
 */
function securedError(error: Error & { code?: string }, address: string): TransportError {
  const isOfTls = error.code === 'EPROTO' || error.code?.startsWith('ERR_SSL_');
  return isOfTls ? tlsDialError(error, address) : dialError(error, address);
}

/**
 * Creates the error for a failure before the upgrade: of the socket, of TLS, or in the server's
 * answer.
 */
function dialError(error: Error & { code?: string }, address: string): TransportError {
  const { code = '', message } = error;
  const options = { target: address, cause: error };
  if (code.startsWith('HPE_') || code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return reasonError(
      'wrong_preamble',
      `Cannot connect to ${address}: the server speaks another protocol (${code})`,
      options,
    );
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return reasonError(
      'bad_certificate',
      `Cannot connect to ${address}: the certificate of the server is not trusted (${code})`,
      options,
    );
  }
  if (code !== '') return socketError(error, 'dial', address);
  return reasonError(
    'wrong_version',
    `Cannot connect to ${address}: the server does not speak ${SUB_PROTOCOL} over WebSocket (${message})`,
    options,
  );
}
