// An HTTP server that serves only WebSocket upgrades, with or without mutual TLS. A connection must
// send its upgrade within the handshake timeout. It owns each connection until `arrived`; from then
// on, upgrades.ts does. Tested in upgrades.test.ts and handshakes.test.ts.

import type { Server } from 'node:http';
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import type { Clock, ClockTimer, Observer, TransportError } from '@trunkline/transport-core';
import { type ListenOptions, lookAlike, reasonError } from '@trunkline/transport-core/backend';
import { cutOff, getBuiltinModule, type MutualTls } from '@trunkline/transport-core/node';
import { type Arrival, endedEarly, endpointOf, leave, tooLate } from './arrival.ts';

export interface UpgradeServer {
  /** The server to bind; it does not listen yet. Its close() frees the port. */
  readonly listener: NetServer;
  /** The server that emits 'upgrade' events. */
  readonly http: Server;
  /**
   * Called for each upgrade: stops the handshake timeout of the socket and returns what is known
   * about its connection.
   */
  arrived(socket: Socket): Arrival;
  /** Closes the connections whose upgrade has not arrived. */
  cut(): void;
}

export interface UpgradeServerOptions {
  readonly clock: Clock;
  readonly observer: Observer | undefined;
  readonly tls: MutualTls | undefined;
  readonly listen: ListenOptions | undefined;
}

export function createUpgradeServer({
  clock,
  observer,
  tls,
  listen,
}: UpgradeServerOptions): UpgradeServer {
  const timeout = listen?.timeout ?? HANDSHAKE;
  // Loaded here, because a program that doesn't listen does without it.
  const { createServer } = getBuiltinModule('node:http');
  const http = createServer((_request, response) => {
    response.writeHead(426, {
      Connection: 'close',
      Upgrade: 'websocket',
      'Content-Type': 'text/plain',
    });
    response.end('This port accepts only WebSocket upgrades.\n');
  });
  const tell = (error: TransportError, endpoint: string) => {
    try {
      observer?.event?.({ type: 'rejected', endpoint, direction: 'in', error });
    } catch {
      // An observer that throws is ignored, because input from strangers must not end the process.
    }
  };
  http.on('clientError', (error: ParseError, socket: Socket) => {
    if (error.rawPacket !== undefined) {
      const endpoint = endpointOf(socket);
      const rejected = notUpgrade(error, error.rawPacket, endpoint);
      leave(arrived(socket), rejected);
      // Without a limiter, no slot reports errors. This error is reported nevertheless, because it
      // shows a mistake in the configuration.
      if (listen === undefined) tell(rejected, endpoint);
    }
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    socket.destroySoon();
  });
  const waiting = new Map<Socket, Arrival & { timer: ClockTimer }>();
  const arrived = (socket: Socket): Arrival => {
    const { timer, ...arrival } = waiting.get(socket) ?? { timer: undefined };
    clock.clearTimeout(timer);
    waiting.delete(socket);
    return arrival;
  };
  const end = (socket: Socket, error?: TransportError) => {
    leave(arrived(socket), error);
    socket.destroy();
  };
  /**
   * Keeps a connection until its upgrade arrives, for at most `time` milliseconds, the rest of the
   * timeout.
   */
  const wait = (socket: Socket, arrival: Arrival, time: number) => {
    const endpoint = endpointOf(socket);
    // The limiter, if there is one, bounds the number of waiting connections; otherwise WAITING
    // does.
    const isFull = listen === undefined && waiting.size >= WAITING;
    const timer = isFull
      ? undefined
      : clock.setTimeout(() => end(socket, tooLate(endpoint, timeout)), time);
    waiting.set(socket, { ...arrival, timer });
    socket.once('close', () => {
      if (waiting.has(socket)) end(socket, endedEarly(endpoint, 'before its WebSocket upgrade'));
    });
    if (isFull) end(socket);
  };
  const cut = () => {
    acceptor?.close();
    for (const socket of [...waiting.keys()]) end(socket);
  };
  const tune = (socket: Socket) => socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE);
  const acceptor = tls?.acceptor({
    clock,
    listen,
    tune,
    accept(secured, slot, left) {
      wait(secured.socket, { secured, slot }, left);
      if (!secured.socket.destroyed) http.emit('connection', secured.socket);
    },
  });
  const begin = (socket: Socket) => {
    if (socket.destroyed) return;
    http.emit('connection', tune(socket));
    socket.resume(); // Ends the `pauseOnConnect` of the listener.
  };
  const take = (socket: Socket) => {
    socket.on('error', ignore);
    // The turn may come within `acquire`, before the socket is kept, or later.
    let isKept = false;
    let isTurn = listen === undefined;
    const slot = listen?.handshakes.acquire(endpointOf(socket), () => {
      isTurn = true;
      if (isKept) begin(socket);
    });
    if (listen !== undefined && slot === undefined) return cutOff(socket);
    wait(socket, { slot }, timeout);
    isKept = true;
    if (isTurn) begin(socket);
  };
  // Nothing is read before a connection has its handshake slot. As in Node's own HTTP server, a
  // client may end its side and still get the response; under TLS, a peer that ends during the
  // handshake is closed.
  const listener =
    acceptor === undefined
      ? createNetServer({ pauseOnConnect: true, allowHalfOpen: true }, take)
      : createNetServer({ pauseOnConnect: true }, (socket) => acceptor.take(socket));
  return { listener, http, arrived, cut };
}

/** An error of Node's HTTP parser or of the socket; only a parser error has the packet. */
interface ParseError extends Error {
  readonly code?: string;
  readonly rawPacket?: Uint8Array;
}

/**
 * Creates the error for bytes that Node's HTTP parser refuses: either another protocol, which does
 * not begin with an HTTP method, or a malformed HTTP request.
 */
function notUpgrade(error: ParseError, packet: Uint8Array, endpoint: string): TransportError {
  const isHttp = error.code !== 'HPE_INVALID_METHOD' && error.code !== 'HPE_PAUSED_H2_UPGRADE';
  const text = isHttp
    ? `its HTTP request is malformed: ${error.message} (${error.code})`
    : `the other end speaks ${lookAlike(packet)}, this end speaks WebSocket: give both the same scheme`;
  const message = `Connection with ${endpoint}: ${text}`;
  const reason = isHttp ? 'malformed' : 'wrong_preamble';
  return reasonError(reason, message, { target: endpoint, cause: error });
}

function ignore(): void {}

/** Duration of silence, in milliseconds, before the kernel probes a connection. */
const KEEP_ALIVE = 30_000;
/**
 * Maximum number of connections that may wait for their upgrade if there is no limiter. A
 * transport's default limit (`limits.handshakes`) is the same: 64 handshakes, and four times as
 * many that wait.
 */
const WAITING = 320;
/**
 * The default time limit, in milliseconds, from accepting a connection to its upgrade, including
 * TLS; the same default as in core.
 */
export const HANDSHAKE = 5_000;
