// The accepting side: a place in the doorway first, then the TLS handshake, within its time; then the connection is handed over.

import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import { type Clock, formatHostPort, type ListenOptions, type Pass, type Timer, type TransportError } from '@trunkline/transport-core';
import { Peer, type Trust } from './peer.ts';
import { cutOff, Secured } from './secured.ts';
import { tlsAcceptError, tlsClosed, tlsTimeout } from './tls-errors.ts';

export interface AcceptorOptions {
  readonly clock: Clock;
  readonly listen: ListenOptions | undefined;
  /** Sets what the socket of a connection is to have, once it has its place: system calls that refusing does not pay for. */
  tune(socket: Socket): void;
  /** The handshake is through. The pass goes with the connection; `left` are the milliseconds that are left of its time. */
  accept(secured: Secured, pass: Pass | undefined, left: number): void;
}

/** What it needs of the one who owns keys and lists. */
export interface AcceptorHost {
  readonly live: Set<Peer>;
  readonly trust: Trust;
  gone(acceptor: TlsAcceptor): void;
}

export class TlsAcceptor {
  readonly #host: AcceptorHost;
  readonly #options: AcceptorOptions;
  readonly #server: Server;
  /** Handshakes under way, by endpoint. */
  readonly #pending = new Map<string, Handshake>();

  constructor(host: AcceptorHost, context: SecureContextOptions, options: AcceptorOptions) {
    this.#host = host;
    this.#options = options;
    // It never listens: connections are put into it once they have their place. It asks for a certificate and judges none: a peer
    // that is refused is to learn why, which a TLS alert can't tell.
    this.#server = createServer({ ...context, requestCert: true, rejectUnauthorized: false });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error: Error & { code?: string }, socket) => {
      const endpoint = endpointOf(socket);
      if (endpoint !== undefined) this.#pending.get(endpoint)?.end(tlsAcceptError(error, endpoint));
    });
  }

  /** New connections use this from now on. */
  renew(context: SecureContextOptions): void {
    this.#server.setSecureContext(context);
  }

  /** Takes a socket that was just accepted, and that nobody reads yet: of a server with `pauseOnConnect`, and without `allowHalfOpen`. */
  take(raw: Socket): void {
    const endpoint = endpointOf(raw);
    if (endpoint === undefined) return void raw.destroy();
    raw.on('error', ignore);
    const { listen } = this.#options;
    if (listen === undefined) return this.#begin(this.#wait(raw, endpoint, HANDSHAKE));
    // Nothing is made for a connection before the doorway has room: in a flood that is what refusing costs.
    let handshake: Handshake | undefined;
    let isTurn = false;
    const pass = listen.doorway.knock(endpoint, () => {
      isTurn = true;
      if (handshake !== undefined) this.#begin(handshake);
    });
    if (pass === undefined) return cutOff(raw);
    handshake = this.#wait(raw, endpoint, listen.timeout);
    handshake.pass = pass;
    if (isTurn) this.#begin(handshake);
  }

  #wait(raw: Socket, endpoint: string, timeout: number): Handshake {
    const handshake = new Handshake(raw, endpoint, this.#options.clock, () => this.#pending.delete(endpoint));
    this.#pending.set(endpoint, handshake);
    handshake.within(timeout);
    return handshake;
  }

  #begin({ over, raw }: Handshake): void {
    if (over) return;
    this.#options.tune(raw);
    this.#server.emit('connection', raw);
  }

  /** Ends the handshakes that are under way. */
  close(): void {
    this.#host.gone(this);
    for (const [endpoint, handshake] of [...this.#pending]) handshake.end(tlsClosed(endpoint));
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#pending.get(endpointOf(socket) ?? '');
    if (handshake === undefined) return void socket.destroy();
    handshake.done();
    // In the handshake an end is an end; from here on the connection says when each side ends.
    socket.allowHalfOpen = true;
    const { raw, pass } = handshake;
    const peer = new Peer(socket, undefined, this.#host.trust, this.#host.live);
    this.#options.accept(new Secured(socket, raw, peer), pass, handshake.left);
  }
}

/** One connection between its accept and the end of its handshake. */
class Handshake {
  readonly raw: Socket;
  readonly #endpoint: string;
  readonly #clock: Clock;
  readonly #forget: () => void;
  pass: Pass | undefined;
  over = false;
  #timer: Timer;
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
    this.#timer = this.#clock.setTimeout(() => this.end(tlsTimeout(this.#endpoint, timeout)), timeout);
  }

  /** Milliseconds that it still has. */
  get left(): number {
    return Math.max(this.#due - this.#clock.now(), 0);
  }

  /** It came through: socket and pass are another's now. */
  done(): void {
    this.over = true;
    this.raw.off('close', this.#closed);
    this.#clock.clearTimeout(this.#timer);
    this.#forget();
  }

  /** It came to nothing. */
  end(error: TransportError): void {
    if (this.over) return;
    this.done();
    this.raw.destroy();
    this.pass?.leave(error);
  }

  readonly #closed = (): void => this.end(tlsAcceptError(undefined, this.#endpoint));
}

function endpointOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : formatHostPort(remoteAddress, remotePort ?? 0);
}

function ignore(): void {}

/** Milliseconds for a handshake, where nobody says: core's default. */
const HANDSHAKE = 5_000;
