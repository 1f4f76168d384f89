// An HTTP server that is there for upgrades alone, and waits for them no longer than a handshake may take; bare, or under mutual TLS.

import { createServer, type Server } from 'node:http';
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import type { MutualTls, Secured } from '@trunkline/mutual-tls';
import {
  type Clock,
  formatHostPort,
  type ListenOptions,
  lookAlike,
  type Observer,
  type Pass,
  reasonError,
  type Timer,
  type TransportError,
} from '@trunkline/transport-core';

export interface UpgradeServer {
  /** What listens; not yet. Its close() frees the port. */
  readonly listener: NetServer;
  /** What tells of upgrades. */
  readonly http: Server;
  /** To be told of each upgrade: its socket need not hurry any more. Gives what TLS found out about it. */
  arrived(socket: Socket): Arrival;
  /** Ends the connections that have not become WebSockets. */
  cut(): void;
}

export interface Arrival {
  readonly secured?: Secured | undefined;
  readonly pass?: Pass | undefined;
}

export interface UpgradeServerOptions {
  readonly clock: Clock;
  readonly observer: Observer | undefined;
  readonly tls: MutualTls | undefined;
  readonly listen: ListenOptions | undefined;
}

export function createUpgradeServer({ clock, observer, tls, listen }: UpgradeServerOptions): UpgradeServer {
  const http = createServer(SOCKETS, (_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
    response.end('This port takes WebSocket upgrades only.\n');
  });
  const tell = (error: TransportError, endpoint: string) => {
    // The transport tells whoever is to know.
    if (listen !== undefined) return listen.doorway.knock(endpoint, () => {})?.leave(error);
    try {
      observer?.event?.({ type: 'rejected', endpoint, direction: 'in', error });
    } catch {
      // An observer that throws is ignored: what strangers send must not end the process.
    }
  };
  http.on('clientError', (error: Error & { rawPacket?: Uint8Array }, socket: Socket) => {
    if (error.rawPacket !== undefined) {
      const { pass } = arrived(socket);
      if (pass !== undefined) pass.leave(notHttp(error, socket));
      else tell(notHttp(error, socket), endpointOf(socket));
    }
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    socket.destroySoon();
  });
  const waiting = new Map<Socket, Arrival & { timer: Timer }>();
  const arrived = (socket: Socket): Arrival => {
    const { timer, ...arrival } = waiting.get(socket) ?? { timer: undefined };
    clock.clearTimeout(timer);
    waiting.delete(socket);
    return arrival;
  };
  const wait = (socket: Socket, arrival: Arrival) => {
    const endpoint = endpointOf(socket);
    const gone = () => arrived(socket).pass?.leave(noUpgrade(endpoint));
    if (waiting.size >= WAITING) {
      arrival.pass?.leave();
      return socket.destroy();
    }
    const timer = clock.setTimeout(() => socket.destroy(), HANDSHAKE);
    waiting.set(socket, { ...arrival, timer });
    socket.once('close', gone);
  };
  const cut = () => {
    acceptor?.close();
    for (const socket of [...waiting.keys()]) {
      arrived(socket).pass?.leave();
      socket.destroy();
    }
  };
  const acceptor = tls?.acceptor({
    clock,
    listen,
    tune: (socket) => socket.setNoDelay(true).setKeepAlive(true, SOCKETS.keepAliveInitialDelay),
    accept(secured, pass) {
      wait(secured.socket, { secured, pass });
      if (!secured.socket.destroyed) http.emit('connection', secured.socket);
    },
  });
  if (acceptor === undefined) {
    http.on('connection', (socket: Socket) => wait(socket, {}));
    return { listener: http, http, arrived, cut };
  }
  // Nothing is read before a connection has its place.
  const listener = createNetServer({ pauseOnConnect: true }, (socket) => acceptor.take(socket));
  return { listener, http, arrived, cut };
}

/** It had its place, and the costly half of TLS, for nothing. */
function noUpgrade(endpoint: string) {
  return reasonError('reset', `Connection with ${endpoint}: it ended before its WebSocket upgrade`, { target: endpoint });
}

function notHttp(error: Error & { rawPacket?: Uint8Array }, socket: Socket) {
  const endpoint = endpointOf(socket);
  const message = `Connection with ${endpoint}: the other end speaks ${lookAlike(error.rawPacket!)}, this end WebSocket: give both the same scheme`;
  return reasonError('wrong_preamble', message, { target: endpoint, cause: error });
}

function endpointOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? 'a peer that is gone' : formatHostPort(remoteAddress, remotePort ?? 0);
}

const SOCKETS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 };
/** Connections that have not sent their upgrade yet: as many as core lets wait before their hello (64 and 4 times that). */
const WAITING = 320;
/** Milliseconds from the first byte of TCP, or the end of TLS, to the upgrade. */
const HANDSHAKE = 5_000;
