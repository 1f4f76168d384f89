// An HTTP server that is there for upgrades alone, and waits for them no longer than a handshake may take.

import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '@trunkline/transport-core';

export interface UpgradeServer {
  /** Not listening yet; its close() frees the port. */
  readonly server: Server;
  /** To be told of each upgrade: its socket need not hurry any more. */
  arrived(socket: Socket): void;
  /** Ends the connections that have not become WebSockets. */
  cut(): void;
}

export function createUpgradeServer(clock: Clock): UpgradeServer {
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }, (_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
    response.end('This port takes WebSocket upgrades only.\n');
  });
  const waiting = new Map<Socket, Timer>();
  const arrived = (socket: Socket) => {
    clock.clearTimeout(waiting.get(socket));
    waiting.delete(socket);
  };
  server.on('connection', (socket: Socket) => {
    if (waiting.size >= WAITING) return socket.destroy();
    waiting.set(
      socket,
      clock.setTimeout(() => socket.destroy(), HANDSHAKE),
    );
    socket.once('close', () => arrived(socket));
  });
  const cut = () => {
    for (const socket of [...waiting.keys()]) {
      arrived(socket);
      socket.destroy();
    }
  };
  return { server, arrived, cut };
}

/** Connections that have not sent their upgrade yet: as many as core lets wait before their hello (64 and 4 times that). */
const WAITING = 320;
/** Milliseconds from the first byte of TCP to the upgrade. */
const HANDSHAKE = 5_000;
