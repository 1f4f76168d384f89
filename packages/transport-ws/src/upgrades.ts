// The accepting side: checks HTTP upgrades before they become WebSockets. It owns an upgrade and
// its handshake slot from its arrival until `accept`. Tested in upgrades.test.ts,
// upgrade-hook.test.ts, given-server.test.ts and handshakes.test.ts.

import type { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, type ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  type HandshakeSlot,
  type ListenOptions,
  reasonError,
} from '@trunkline/transport-core/backend';
import type { WebSocketServer } from 'ws';
import { type Admission, type AdmissionRules, decide } from './admission.ts';
import { type Arrival, endedEarly, endpointOf, leave, tooLate } from './arrival.ts';
import { SUB_PROTOCOL } from './close-codes.ts';
import { Unmasker } from './unmasker.ts';
import { WsConnection } from './ws-connection.ts';
import { type WsLibrary, withWs } from './ws-library.ts';
import { WS_LIMITS } from './ws-limits.ts';
import type { HttpServer } from './ws-options.ts';

export interface UpgradeOptions extends AdmissionRules {
  readonly server: HttpServer;
  readonly path: string;
  /** The address at which the layer listens, for an error. */
  readonly address: string;
  /** Finds the address of a client; see `clientAddress`. */
  readonly addressOf: (socketAddress: string, header: string | undefined) => string;
  /** Checks whether a `Host` header is acceptable. Default: all are. */
  readonly isHost: ((header: string | undefined) => boolean) | undefined;
  readonly clock: Clock;
  /**
   * Provides a handshake slot for an upgrade on a server that is not ours; our own server acquires
   * one when it accepts a connection.
   */
  readonly listen?: ListenOptions | undefined;
  /**
   * The time limit of a handshake, in milliseconds, for a pending `upgrade`. An upgrade that waits
   * for its slot keeps to `listen.timeout`.
   */
  readonly timeout: number;
  /**
   * Called for each upgrade before it is examined, even for upgrades that are not for this layer.
   * Only our own server has it (own-server.ts); it hands over the slot and the TLS connection.
   */
  arrived?(socket: Socket): Arrival;
  /** Receives each open connection, with its slot; it attaches to the connection or destroys it. */
  accept(connection: WsConnection, slot: HandshakeSlot | undefined): void;
}

/**
 * Handles the server's upgrades at `path` until the returned function is called, which also closes
 * the upgrades that wait. Upgrades that arrive before ws is loaded wait for it. An upgrade that
 * another listener has taken by the end of the tick, or later while it waits, is left alone.
 *
 * @throws TransportError `address_in_use` if another transport handles these upgrades.
 */
export function takeUpgrades(options: UpgradeOptions): () => void {
  const { server, path, address, isHost, addressOf, clock, listen, timeout, arrived, accept } =
    options;
  if (takers(server).some((each) => each[PATH] === path))
    throw reasonError(
      'address_in_use',
      `Cannot listen on ${address}: another transport takes the upgrades at this path of the given 'server'; give each transport another path, or close the other one first`,
      { target: address },
    );
  let webSockets: WebSocketServer | undefined;
  const parked = new Set<() => void>();
  const upgrade: Taker = (request, socket, head) => {
    const arrival = arrived?.(socket);
    if (pathOf(request) !== path) {
      if (!isNobodys(server, upgrade, pathOf(request))) return;
      const refused: Refusal = [404, 'Not Found'];
      leave(arrival ?? {}, refusalOf(refused, socket));
      return refuse(socket, refused);
    }
    socket.on('error', ignore);
    const forwarded = request.headers['x-forwarded-for'] as string | undefined;
    const client = addressOf(socket.remoteAddress ?? '', forwarded);
    const endpoint = endpointOf(socket, client);
    const become = (given: Arrival) => {
      if (isTaken(socket)) return leave(given);
      const refused = judge(request, isHost);
      if (refused !== undefined) {
        leave(given, refusalOf(refused, socket));
        return refuse(socket, refused);
      }
      // Until the WebSocket is handed over, this function must release the handshake slot.
      let isOver = false;
      const settle = () => {
        isOver = true;
        clock.clearTimeout(timer);
        parked.delete(end);
        socket.off('close', gone);
      };
      const end = (error?: TransportError) => {
        settle();
        leave(given, error);
        if (!isTaken(socket)) socket.destroy();
      };
      const gone = () => end(endedEarly(endpoint, 'during its WebSocket upgrade'));
      const left = timeout - (given.slot === undefined ? 0 : clock.now() - given.slot.since);
      const timer =
        options.upgrade && clock.setTimeout(() => end(tooLate(endpoint, timeout)), left);
      socket.once('close', gone);
      parked.add(end);
      const handle = ({ WebSocketServer }: WsLibrary, admission: Admission) => {
        if (isOver) return;
        if (isTaken(socket)) return end();
        webSockets ??= new WebSocketServer(OPTIONS);
        webSockets.handleUpgrade(request, socket, head, (webSocket) => {
          settle();
          // Installed before `ws` reads a chunk.
          const unmasker = new Unmasker();
          socket.prependListener('data', (chunk: Uint8Array) => unmasker.read(chunk));
          // If the socket closes while paused, `ws` would read the rest without the event 'data'.
          socket.prependOnceListener('close', () => {
            const left: Buffer | null = socket.read(socket.readableLength);
            if (left !== null) socket.emit('data', left);
          });
          const arrival = { ...admission, endpoint, secured: given.secured };
          accept(new WsConnection('acceptor', webSocket, socket, clock, arrival), given.slot);
        });
      };
      // If ws can't be loaded, listen() rejects with the error.
      decide(request, client, options, (admission) =>
        withWs(
          (library) => handle(library, admission),
          () => end(),
        ),
      );
    };
    // The server's other listeners come first.
    clock.defer(() => {
      if (arrival === undefined && listen !== undefined && !isTaken(socket))
        park(socket, listen, { endpoint, clock, parked, become });
      else become(arrival ?? {});
    });
  };
  upgrade[PATH] = path;
  server.on('upgrade', upgrade);
  return () => {
    server.removeListener('upgrade', upgrade);
    for (const end of [...parked]) end();
  };
}

interface Parking {
  readonly endpoint: string;
  readonly clock: Clock;
  /** The functions that close the waiting upgrades, one for each. */
  readonly parked: Set<() => void>;
  become(arrival: Arrival): void;
}

/**
 * Asks the limiter for a handshake slot and lets the upgrade continue once its turn has come;
 * refuses it with 503 if the limiter has no room.
 */
function park(
  socket: Socket,
  { handshakes, timeout }: ListenOptions,
  { endpoint, clock, parked, become }: Parking,
): void {
  let isTurn = false;
  let timer: ClockTimer;
  const done = () => {
    clock.clearTimeout(timer);
    parked.delete(end);
    socket.off('close', gone);
  };
  const end = (error?: TransportError) => {
    done();
    slot?.leave(error);
    if (!isTaken(socket)) socket.destroy();
  };
  const gone = () => end(endedEarly(endpoint, 'while it waited for its handshake'));
  const slot = handshakes.acquire(endpoint, (given) => {
    isTurn = true;
    done();
    become({ slot: given });
  });
  if (slot === undefined) return refuse(socket, [503, 'Too many handshakes']);
  if (isTurn) return;
  timer = clock.setTimeout(() => end(tooLate(endpoint, timeout)), timeout);
  parked.add(end);
  socket.once('close', gone);
}

/** The HTTP status and text of a refused upgrade. */
type Refusal = readonly [status: number, text: string];

/** Returns the status with which an upgrade is refused, or undefined if it may continue. */
function judge(
  { headers }: IncomingMessage,
  isHost: UpgradeOptions['isHost'],
): Refusal | undefined {
  if (isHost !== undefined && !isHost(headers.host)) return [403, 'Host not allowed'];
  if (!offers(headers['sec-websocket-protocol']))
    return [400, `Sub-protocol ${SUB_PROTOCOL} required`];
  return undefined;
}

/** Creates the error that this end's observer receives for a refused upgrade. */
function refusalOf([status, text]: Refusal, socket: Socket): TransportError {
  const target = endpointOf(socket);
  const message = `Connection with ${target}: its WebSocket upgrade was refused (HTTP ${status} ${text})`;
  if (status === 403) return reasonError('denied', message, { target });
  return status === 404
    ? new TransportError('not_found', message, { target })
    : reasonError('wrong_version', message, { target });
}

/** A listener of ours for upgrades, and its path. */
interface Taker {
  (request: IncomingMessage, socket: Socket, head: Buffer): void;
  [PATH]?: string;
}

/** The upgrade listeners of a server, with the paths of those of Trunkline. */
function takers(server: HttpServer): readonly Pick<Taker, typeof PATH>[] {
  return server.listeners('upgrade') as Pick<Taker, typeof PATH>[];
}

/**
 * Returns true if this listener must answer an upgrade that nobody handles: only Trunkline listens
 * for upgrades, none of our paths fits, and this listener is the first. Without an answer, the
 * socket would hang.
 */
function isNobodys(server: HttpServer, me: Taker, path: string): boolean {
  const listeners = takers(server);
  return (
    listeners[0] === me &&
    listeners.every((each) => each[PATH] !== undefined && each[PATH] !== path)
  );
}

/** Returns true if somebody else reads the socket, or has ended it. */
function isTaken(socket: Socket): boolean {
  return (
    socket.listenerCount('data') + socket.listenerCount('readable') > 0 || socket.writableEnded
  );
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

/** The key of a listener's path, by which the copies of this package know each other's. */
const PATH: unique symbol = Symbol.for('trunkline.upgrades');
const OPTIONS = {
  noServer: true,
  clientTracking: false,
  handleProtocols: () => SUB_PROTOCOL,
  ...WS_LIMITS,
};
