// The accepting side: HTTP upgrades that are checked before they become WebSockets.

import type { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, type ListenOptions, type Pass, reasonError, type Timer, TransportError } from '@trunkline/transport-core';
import { WebSocketServer } from 'ws';
import { type Arrival, endpointOf, leave, tooLate } from './arrival.ts';
import { SUB_PROTOCOL } from './close-codes.ts';
import { Unmasker } from './unmasker.ts';
import { WsConnection } from './ws-connection.ts';
import { WS_LIMITS } from './ws-limits.ts';
import type { HttpServer } from './ws-options.ts';

export interface UpgradeOptions {
  readonly server: HttpServer;
  readonly path: string;
  readonly origins: readonly string[] | undefined;
  /** Says whether a Host header may be served. Left out: all may. */
  readonly isHost: ((header: string | undefined) => boolean) | undefined;
  readonly clock: Clock;
  /** Asked for a place when an upgrade comes, if the server is not ours: ours has asked when it accepted. */
  readonly listen?: ListenOptions | undefined;
  /** Told of each upgrade, ours or not, before it is looked at. */
  arrived?(socket: Socket): Arrival;
  accept(connection: WsConnection, pass: Pass | undefined): void;
}

/** Takes the server's upgrades under the path, until the returned function is called. */
export function takeUpgrades({ server, path, origins, isHost, clock, listen, arrived, accept }: UpgradeOptions): () => void {
  const webSockets = new WebSocketServer({ noServer: true, clientTracking: false, handleProtocols: () => SUB_PROTOCOL, ...WS_LIMITS });
  const parked = new Set<() => void>();
  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const arrival = arrived?.(socket);
    if (pathOf(request) !== path) {
      if (!isNobodys(server, upgrade, pathOf(request))) return;
      const refused: Refusal = [404, 'Not Found'];
      leave(arrival ?? {}, refusalOf(refused, socket));
      return refuse(socket, refused);
    }
    socket.on('error', ignore);
    const become = (given: Arrival) => {
      const refused = judge(request, { origins, isHost });
      if (refused !== undefined) {
        leave(given, refusalOf(refused, socket));
        return refuse(socket, refused);
      }
      // Until the WebSocket is handed over, the place is ours to leave.
      const endpoint = endpointOf(socket);
      const gone = () => leave(given, reasonError('reset', `Connection with ${endpoint}: it ended in its WebSocket upgrade`, { target: endpoint }));
      socket.once('close', gone);
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off('close', gone);
        // Before `ws` reads a chunk.
        const unmasker = new Unmasker();
        socket.prependListener('data', (chunk: Uint8Array) => unmasker.read(chunk));
        accept(new WsConnection('acceptor', webSocket, socket, clock, given.secured), given.pass);
      });
    };
    if (arrival === undefined && listen !== undefined) park(socket, listen, { clock, parked, become });
    else become(arrival ?? {});
  };
  takers.set(upgrade, path);
  server.on('upgrade', upgrade);
  return () => {
    server.removeListener('upgrade', upgrade);
    for (const cut of [...parked]) cut();
  };
}

interface Parking {
  readonly clock: Clock;
  /** Cuts each of those that wait. */
  readonly parked: Set<() => void>;
  become(arrival: Arrival): void;
}

/** Asks the doorway for a place, and lets the upgrade go on when there is one; refused with 503 when too many wait. */
function park(socket: Socket, { doorway, timeout }: ListenOptions, { clock, parked, become }: Parking): void {
  const endpoint = endpointOf(socket);
  let isTurn = false;
  let timer: Timer;
  const done = () => {
    clock.clearTimeout(timer);
    parked.delete(cut);
    socket.off('close', gone);
  };
  const end = (error?: TransportError) => {
    done();
    pass?.leave(error);
    socket.destroy();
  };
  const cut = () => end();
  const gone = () => end(reasonError('reset', `Connection with ${endpoint}: it ended before its turn`, { target: endpoint }));
  const pass = doorway.knock(endpoint, (given) => {
    isTurn = true;
    done();
    become({ pass: given });
  });
  if (pass === undefined) return refuse(socket, [503, 'Too many handshakes']);
  if (isTurn) return;
  timer = clock.setTimeout(() => end(tooLate(endpoint, timeout)), timeout);
  parked.add(cut);
  socket.once('close', gone);
}

/** The status and the text of a refused upgrade. */
type Refusal = readonly [status: number, text: string];

/** Why an upgrade is refused; undefined for one that may go on. */
function judge({ headers }: IncomingMessage, { origins, isHost }: Pick<UpgradeOptions, 'origins' | 'isHost'>): Refusal | undefined {
  if (isHost !== undefined && !isHost(headers.host)) return [403, 'Host not allowed'];
  const origin = headers.origin ?? headers['sec-websocket-origin'];
  if (origins !== undefined && origin !== undefined && !origins.includes(String(origin))) return [403, 'Origin not allowed'];
  if (!offers(headers['sec-websocket-protocol'])) return [400, `Sub-protocol ${SUB_PROTOCOL} required`];
  return undefined;
}

/** A refused upgrade, as this end's observer sees it. */
function refusalOf([status, text]: Refusal, socket: Socket): TransportError {
  const target = endpointOf(socket);
  const message = `Connection with ${target}: its WebSocket upgrade was refused (HTTP ${status} ${text})`;
  if (status === 403) return reasonError('denied', message, { target });
  return status === 404 ? new TransportError('not_found', message, { target }) : reasonError('wrong_version', message, { target });
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

function refuse(socket: Socket, [status, text]: Refusal): void {
  socket.on('error', ignore);
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  socket.destroySoon();
}

function ignore(): void {}
