// The accepting side of TLS. A connection first gets a handshake slot, then performs its TLS
// handshake within a timeout, and is then handed over.

import type { Socket } from 'node:net';
import type { SecureContextOptions, Server, TLSSocket } from 'node:tls';
import type { Clock, ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  formatHostPort,
  type HandshakeSlot,
  type ListenOptions,
} from '@trunkline/transport-core/backend';
import { getBuiltinModule } from './system-process.ts';
import { cutOff, TlsConnection } from './tls-connection.ts';
import { tlsAcceptError, tlsClosed, tlsTimeout } from './tls-errors.ts';
import { TlsRemote, type Trust } from './tls-remote.ts';

/** Options of {@link TlsAcceptor}. */
export interface AcceptorOptions {
  readonly clock: Clock;
  readonly listen: ListenOptions | undefined;
  /**
   * Sets the options of a connection's socket after it has received its handshake slot, so that
   * refused connections do not cost these system calls.
   */
  tune(socket: Socket): void;
  /**
   * Receives a connection whose handshake is complete. It takes over the handshake slot; `left` is
   * the rest of the handshake's timeout in milliseconds.
   */
  accept(secured: TlsConnection, slot: HandshakeSlot | undefined, left: number): void;
}

/** The parts that an acceptor needs of the object that owns keys and lists. */
export interface AcceptorHost {
  readonly live: Set<TlsRemote>;
  readonly trust: Trust;
  gone(acceptor: TlsAcceptor): void;
}

/** Runs the TLS handshakes of the sockets that a listener accepts. */
export class TlsAcceptor {
  readonly #host: AcceptorHost;
  readonly #options: AcceptorOptions;
  readonly #server: Server;
  /** The handshakes in progress, by endpoint. */
  readonly #pending = new Map<string, TlsHandshake>();

  constructor(host: AcceptorHost, context: SecureContextOptions, options: AcceptorOptions) {
    this.#host = host;
    this.#options = options;
    // The server never listens: connections are passed to it after they have got a handshake slot.
    // It requests a certificate but accepts any, because a refused peer should learn the reason,
    // which a TLS alert cannot express.
    const { createServer } = getBuiltinModule('node:tls');
    this.#server = createServer({ ...context, requestCert: true, rejectUnauthorized: false });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error: Error & { code?: string }, socket) => {
      const endpoint = endpointOf(socket);
      if (endpoint !== undefined) this.#pending.get(endpoint)?.end(tlsAcceptError(error, endpoint));
    });
  }

  /** Sets the credentials of new connections. */
  renew(context: SecureContextOptions): void {
    this.#server.setSecureContext(context);
  }

  /**
   * Takes a socket that has just been accepted and from which nothing has been read yet. The
   * listener needs `pauseOnConnect`, and must not have `allowHalfOpen`.
   */
  take(raw: Socket): void {
    const endpoint = endpointOf(raw);
    if (endpoint === undefined) return void raw.destroy();
    raw.on('error', ignore);
    const { listen } = this.#options;
    if (listen === undefined) return this.#begin(this.#wait(raw, endpoint, HANDSHAKE));
    // Nothing is allocated for a connection before there is a handshake slot, so that refusing
    // stays cheap in a flood.
    let handshake: TlsHandshake | undefined;
    let isTurn = false;
    const slot = listen.handshakes.acquire(endpoint, () => {
      isTurn = true;
      if (handshake !== undefined) this.#begin(handshake);
    });
    if (slot === undefined) return cutOff(raw);
    handshake = this.#wait(raw, endpoint, listen.timeout);
    handshake.slot = slot;
    if (isTurn) this.#begin(handshake);
  }

  #wait(raw: Socket, endpoint: string, timeout: number): TlsHandshake {
    const handshake = new TlsHandshake(raw, endpoint, this.#options.clock, () =>
      this.#pending.delete(endpoint),
    );
    this.#pending.set(endpoint, handshake);
    handshake.within(timeout);
    return handshake;
  }

  #begin({ over, raw }: TlsHandshake): void {
    if (over) return;
    this.#options.tune(raw);
    this.#server.emit('connection', raw);
  }

  /** Ends the handshakes in progress. */
  close(): void {
    this.#host.gone(this);
    for (const [endpoint, handshake] of [...this.#pending]) handshake.end(tlsClosed(endpoint));
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#pending.get(endpointOf(socket) ?? '');
    if (handshake === undefined) return void socket.destroy();
    handshake.done();
    // During the handshake, the end of the socket is the end of the connection; from here on, the
    // connection decides when each side ends.
    socket.allowHalfOpen = true;
    const { raw, slot } = handshake;
    const peer = new TlsRemote(socket, undefined, this.#host.trust, this.#host.live);
    this.#options.accept(new TlsConnection(socket, raw, peer), slot, handshake.left);
  }
}

/** One connection from its acceptance to the end of its handshake. */
class TlsHandshake {
  readonly raw: Socket;
  readonly #endpoint: string;
  readonly #clock: Clock;
  readonly #forget: () => void;
  slot: HandshakeSlot | undefined;
  over = false;
  #timer: ClockTimer;
  #due = 0;

  constructor(raw: Socket, endpoint: string, clock: Clock, forget: () => void) {
    this.raw = raw;
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#forget = forget;
    raw.on('close', this.#closed);
  }

  within(timeout: number): void {
    this.#due = this.#clock.now() + timeout;
    this.#timer = this.#clock.setTimeout(
      () => this.end(tlsTimeout(this.#endpoint, timeout)),
      timeout,
    );
  }

  /** The number of milliseconds left of the timeout. */
  get left(): number {
    return Math.max(this.#due - this.#clock.now(), 0);
  }

  /** Completes the handshake: the socket and the handshake slot now belong to the connection. */
  done(): void {
    this.over = true;
    this.raw.off('close', this.#closed);
    this.#clock.clearTimeout(this.#timer);
    this.#forget();
  }

  /** Fails the handshake and destroys the socket. */
  end(error: TransportError): void {
    if (this.over) return;
    this.done();
    this.raw.destroy();
    this.slot?.leave(error);
  }

  readonly #closed = (): void => this.end(tlsAcceptError(undefined, this.#endpoint));
}

function endpointOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : formatHostPort(remoteAddress, remotePort ?? 0);
}

function ignore(): void {}

/** Default timeout of a handshake in milliseconds, the same as core's. */
const HANDSHAKE = 5_000;
