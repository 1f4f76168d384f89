// The web site of the mesh: the page, the signaling hub, and the WebSocket of the first node, all
// on one port.

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTransport } from '@trunkline/transport-core';
import { createSignalHub, signalingProtocol } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { HUB_PATH } from './protocol.ts';

export interface Site {
  /** The address of the page. */
  readonly url: string;
  /** The origins of the page: only it may open WebSockets. */
  readonly origins: readonly string[];
  readonly server: Server;
  close(): Promise<void>;
}

/** Serves the page and the hub. Rejects if the port is taken. */
export async function openSite(host: string, port: number): Promise<Site> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0]!;
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
    const file = FILES[path];
    if (file === undefined) return refuse(response, 404);
    response.writeHead(200, { ...HEADERS, 'content-type': file.type });
    createReadStream(new URL(file.name, import.meta.url)).pipe(response);
  });
  server.listen(port, host);
  await once(server, 'listening');
  const urlOf = (name: string) => `http://${name}:${(server.address() as AddressInfo).port}`;
  const url = urlOf(host);
  const origins = [url, urlOf('localhost')];
  const transport = createTransport(`ws://server${HUB_PATH}`, {
    protocol: signalingProtocol,
    advertiseAddr: `${url.replace('http', 'ws')}${HUB_PATH}`,
    backends: [ws({ server, origins })],
  });
  const hub = createSignalHub({ transport, realms: ['main'], relay: {} });
  await transport.listen();
  return {
    url,
    origins,
    server,
    async close() {
      await hub.close();
      await transport.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, HEADERS).end();
}

const FILES: Readonly<Record<string, { readonly name: string; readonly type: string }>> = {
  '/': { name: '../page/index.html', type: 'text/html; charset=utf-8' },
  '/style.css': { name: '../page/style.css', type: 'text/css; charset=utf-8' },
  '/icon.svg': { name: '../page/icon.svg', type: 'image/svg+xml' },
  '/page.js': { name: './bundle/page.js', type: 'text/javascript; charset=utf-8' },
};

/** The page loads nothing from elsewhere, and runs no code but its own file. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};
