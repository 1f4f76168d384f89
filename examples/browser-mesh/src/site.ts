// The web site of the mesh: the page, the signaling hub, and the WebSocket of the first node, all
// on one port.

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSignalHub, signalingProtocol } from '@trunkline/transport-webrtc/signaling';
import { createTransport, ws } from 'trunkline';
import { HUB_PATH } from './protocol.ts';

/**
 * Serves the page and the hub. Rejects if the port is taken. Only pages of the returned `origins`
 * may open WebSockets.
 */
export async function openSite(host: string, port: number) {
  const server = createServer(({ method, url = '/' }, response) => {
    const file = method === 'GET' ? FILES[url.split('?', 1)[0]!] : undefined;
    if (file === undefined) return response.writeHead(404, HEADERS).end();
    const [name, type] = file;
    response.writeHead(200, { ...HEADERS, 'content-type': `${type}; charset=utf-8` });
    return createReadStream(new URL(name, import.meta.url)).pipe(response);
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
  const close = async () => {
    await hub.close();
    await transport.close();
    server.closeAllConnections();
    server.close();
  };
  return { url, origins, server, close };
}

/** The files of the page, and their types. */
const FILES: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['../page/index.html', 'text/html'],
  '/style.css': ['../page/style.css', 'text/css'],
  '/icon.svg': ['../page/icon.svg', 'image/svg+xml'],
  '/page.js': ['./bundle/page.js', 'text/javascript'],
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
