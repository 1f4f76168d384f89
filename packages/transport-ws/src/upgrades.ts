// The accepting side: HTTP upgrades that are checked before they become WebSockets.

import type { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Pass } from '@trunkline/transport-core';
import { WebSocketServer } from 'ws';
import { SUB_PROTOCOL } from './close-codes.ts';
import type { Arrival } from './own-server.ts';
import { Unmasker } from './unmasker.ts';
import { WsConnection } from './ws-connection.ts';
import { WS_LIMITS } from './ws-limits.ts';
import type { HttpServer } from './ws-options.ts';

export interface UpgradeOptions {
  readonly server: HttpServer;
  readonly path: string;
  readonly origins: readonly string[] | undefined;
  readonly clock: Clock;
  /** Told of each upgrade, ours or not, before it is looked at. */
  arrived?(socket: Socket): Arrival;
  accept(connection: WsConnection, pass: Pass | undefined): void;
}

/** Takes the server's upgrades under the path, until the returned function is called. */
export function takeUpgrades({ server, path, origins, clock, arrived, accept }: UpgradeOptions): () => void {
  const webSockets = new WebSocketServer({ noServer: true, clientTracking: false, handleProtocols: () => SUB_PROTOCOL, ...WS_LIMITS });
  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const { secured, pass } = arrived?.(socket) ?? {};
    // Whatever becomes of the upgrade: until it is handed over the pass is ours to leave.
    const leave = () => pass?.leave();
    if (pass !== undefined) socket.once('close', leave);
    if (pathOf(request) !== path) {
      if (isNobodys(server, upgrade, pathOf(request))) refuse(socket, 404, 'Not Found');
      return;
    }
    socket.on('error', ignore);
    const origin = request.headers.origin ?? request.headers['sec-websocket-origin'];
    if (origins !== undefined && origin !== undefined && !origins.includes(String(origin))) return refuse(socket, 403, 'Origin not allowed');
    if (!offers(request.headers['sec-websocket-protocol'])) return refuse(socket, 400, `Sub-protocol ${SUB_PROTOCOL} required`);
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off('close', leave);
      // Before `ws` reads a chunk.
      const unmasker = new Unmasker();
      socket.prependListener('data', (chunk: Uint8Array) => unmasker.read(chunk));
      accept(new WsConnection('acceptor', webSocket, socket, clock, secured), pass);
    });
  };
  takers.set(upgrade, path);
  server.on('upgrade', upgrade);
  return () => server.removeListener('upgrade', upgrade);
}

/** Which upgrade listeners are ours, and their paths: so that two transports on one server agree on what neither takes. */
const takers = new WeakMap<object, string>();

/** Nobody but Trunkline listens for upgrades, and no path of ours fits. Then the first of us answers, else the socket would hang. */
function isNobodys(server: HttpServer, me: object, path: string): boolean {
  const listeners = server.listeners('upgrade');
  return listeners[0] === me && listeners.every((each) => takers.has(each) && takers.get(each) !== path);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!;
}

function offers(header: string | undefined): boolean {
  return header?.split(',').some((name) => name.trim() === SUB_PROTOCOL) ?? false;
}

function refuse(socket: Socket, status: number, text: string): void {
  socket.on('error', ignore);
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  socket.destroySoon();
}

function ignore(): void {}
