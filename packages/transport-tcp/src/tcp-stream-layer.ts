// Streams over TCP, bare or under mutual TLS: node:net behind the StreamLayer port.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { MutualTls, type Secured, type TlsAcceptor, type TlsOptions, type TlsUpdate, updateTls } from '@trunkline/mutual-tls';
import {
  type Clock,
  checkAdvertised,
  type DialOptions,
  formatHostPort,
  type HostPort,
  isUnspecified,
  type ListenOptions,
  type Observer,
  type Pass,
  parseHostPort,
  reasonError,
  type StreamConnection,
  type StreamLayer,
  socketError,
  systemClock,
  TransportError,
} from '@trunkline/transport-core';
import { Reader } from './read-buffer.ts';
import { TcpConnection } from './tcp-connection.ts';

export interface TcpStreamLayerOptions {
  /** Where to listen: 'host:port', with or without 'tcp://'; IPv6 in brackets; port 0 picks a free one. Default '127.0.0.1:0'. */
  readonly bindAddr?: string | undefined;
  /** Where others reach this end, told to them verbatim. Default: what is bound. Needed where `bindAddr` is 0.0.0.0, :: or ':7000'. */
  readonly advertiseAddr?: string | undefined;
  /** Milliseconds of silence before the kernel probes a connection (TCP keep-alive); `false` is never. Default 30,000. */
  readonly keepAlive?: number | false | undefined;
  /** Mutual TLS 1.3: both ends prove their node ids. Default: bare TCP. */
  readonly tls?: TlsOptions | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Is told (`acceptFailed`) when the system could not accept a connection, though it listens on: too many open files, say. */
  readonly observer?: Observer | undefined;
}

/** A StreamLayer over TCP. */
export interface TcpStreamLayer extends StreamLayer {
  /**
   * Changes key, certificate, authorities or lists while it runs: at once for new connections; those whose node is denied, or allowed
   * no more, are cut, the others stay. Rejects with `invalid_argument` for what can't be used, and with `failed_precondition` without
   * `tls`; then everything stays as it was.
   */
  updateTls(update: TlsUpdate): Promise<void>;
}

/** A StreamLayer over TCP. Addresses are 'host:port', with or without 'tcp://'; its own have no scheme. */
export function createTcpStreamLayer(options: TcpStreamLayerOptions = {}): TcpStreamLayer {
  const layer = tcpStreamLayer(options, options.tls && new MutualTls(options.tls, 'createTcpStreamLayer'));
  checkAdvertised(layer, options.advertiseAddr, 'createTcpStreamLayer: advertiseAddr');
  return layer;
}

/** As above, with a MutualTls that may be shared with other layers. */
export function tcpStreamLayer(options: TcpStreamLayerOptions, tls: MutualTls | undefined): TcpStreamLayer {
  return new TcpLayer(options, tls);
}

class TcpLayer implements TcpStreamLayer {
  readonly #bindAddr: string;
  readonly #advertiseAddr: string | undefined;
  readonly #clock: Clock;
  readonly #observer: Observer | undefined;
  readonly #socketOptions;
  readonly #tls: MutualTls | undefined;
  #acceptor: TlsAcceptor | undefined;
  /** There from the first moment of listen() to close(). */
  #server: Server | undefined;
  /** There while it listens. */
  #localAddr: string | undefined;
  /** What ends each pending dial. */
  readonly #dials = new Set<(error: TransportError) => void>();

  constructor(options: TcpStreamLayerOptions, tls: MutualTls | undefined) {
    const { bindAddr = '127.0.0.1:0', advertiseAddr, keepAlive = 30_000, clock = systemClock, observer } = options;
    if (keepAlive !== false && !(keepAlive > 0)) throw new TypeError(`keepAlive: a number of milliseconds above 0, or false; not ${keepAlive}`);
    this.#bindAddr = bindAddr;
    this.#advertiseAddr = advertiseAddr;
    this.#clock = clock;
    this.#observer = observer;
    this.#tls = tls;
    // allowHalfOpen: the connection itself says when each side ends.
    this.#socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: keepAlive !== false, keepAliveInitialDelay: keepAlive || 0 };
  }

  async listen(accept: (connection: StreamConnection, pass?: Pass) => void, _failed?: (error: TransportError) => void, options?: ListenOptions): Promise<void> {
    if (this.#server !== undefined) throw new TransportError('failed_precondition', `Already listening on ${this.#localAddr ?? this.#bindAddr}: close() first`);
    const bind = parseTcpAddress(this.#bindAddr);
    if (bind === undefined) throw badAddress('listen on', this.#bindAddr);
    if (isUnspecified(bind.host)) this.#requireAdvertised();
    const { keepAlive, keepAliveInitialDelay } = this.#socketOptions;
    const acceptor = this.#tls?.acceptor({
      clock: this.#clock,
      listen: options,
      tune: (socket) => socket.setNoDelay(true).setKeepAlive(keepAlive, keepAliveInitialDelay),
      accept: (secured, pass) => accept(new TcpConnection(secured.socket, this.#clock, { secured }), pass),
    });
    // Under TLS nothing is read before a connection has its place, and who ends in the handshake is done with.
    const server = createServer(acceptor === undefined ? this.#socketOptions : { pauseOnConnect: true });
    this.#server = server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.on('error', reject);
        server.on('close', () => reject(new TransportError('shutdown', `Listening on ${this.#bindAddr} was given up: the layer was closed`)));
        // After a close() while a host name was looked up, Node binds all the same.
        server.on('listening', () => (this.#server === server ? resolve() : server.close()));
        server.listen({ port: bind.port, ...(bind.host !== '' && { host: bind.host }) });
      });
      const { address, port } = server.address() as AddressInfo;
      if (isUnspecified(address)) this.#requireAdvertised();
      const zone = address.includes('%') ? '' : (/%.*$/.exec(bind.host)?.[0] ?? '');
      this.#localAddr = formatHostPort(address + zone, port);
    } catch (error) {
      server.close();
      acceptor?.close();
      if (this.#server === server) this.#server = undefined;
      throw error instanceof TransportError ? error : socketError(error, 'listen', this.#bindAddr);
    }
    // What Node reports from here on is one connection that could not be accepted: it goes on listening.
    server.on('error', (error) => this.#observer?.event?.({ type: 'acceptFailed', error: socketError(error, 'accept', this.#bindAddr) }));
    this.#acceptor = acceptor;
    server.on('connection', (socket) => {
      if (acceptor === undefined) accept(new TcpConnection(socket, this.#clock));
      else acceptor.take(socket);
    });
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    const { timeout, signal, nodeId } = options;
    return new Promise((resolve, reject) => {
      const to = placeOf(address);
      if (signal?.aborted) return reject(signal.reason);
      this.#tls?.check();
      const reader = this.#tls === undefined ? new Reader() : undefined;
      const socket: Socket = connect({ ...this.#socketOptions, host: to.host, port: to.port, ...(reader && { onread: reader.onread() }) });
      const settle = () => {
        this.#clock.clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#dials.delete(fail);
      };
      const fail = (error: unknown) => {
        settle();
        socket.destroy();
        reject(error);
      };
      const onAbort = () => fail(signal?.reason);
      const timer = this.#clock.setTimeout(
        () => fail(reasonError('dial_timeout', `Cannot connect to ${address}: no answer within ${timeout} ms (dialTimeout)`, { target: address })),
        timeout,
      );
      this.#dials.add(fail);
      signal?.addEventListener('abort', onAbort, { once: true });
      const onError = (error: Error) => fail(socketError(error, 'dial', address));
      socket.on('error', onError);
      socket.once('connect', () => {
        if (isOwnEcho(socket)) return fail(socketError({ code: 'ECONNREFUSED' }, 'dial', address));
        if (this.#tls === undefined) done(socket.pause());
        else this.#tls.secure(socket, { address, nodeId, done: (secured) => done(secured.socket, secured), failed: fail });
      });
      const done = (stream: Socket, secured?: Secured) => {
        settle();
        const connection = new TcpConnection(stream, this.#clock, { reader, secured });
        if (secured === undefined) socket.off('error', onError);
        resolve(connection);
      };
    });
  }

  checkAddress(address: string): void {
    placeOf(address);
  }

  localAddr(): string {
    if (this.#localAddr === undefined) throw new TransportError('failed_precondition', `Not listening on ${this.#bindAddr} yet: await listen() first`);
    return this.#localAddr;
  }

  get nodeId(): string | undefined {
    return this.#tls?.nodeId;
  }

  advertiseAddr(): string {
    return this.#advertiseAddr ?? this.localAddr();
  }

  async updateTls(update: TlsUpdate): Promise<void> {
    updateTls(this.#tls, update);
  }

  async close(): Promise<void> {
    for (const fail of [...this.#dials]) fail(new TransportError('shutdown', 'The dial was given up: the layer was closed'));
    const server = this.#server;
    const acceptor = this.#acceptor;
    this.#server = undefined;
    this.#acceptor = undefined;
    this.#localAddr = undefined;
    // The port is free when this returns; the server's 'close' would wait for connections that are others' to end.
    server?.close();
    acceptor?.close();
  }

  #requireAdvertised(): void {
    const advertised = this.#advertiseAddr;
    const given = advertised === undefined ? undefined : parseTcpAddress(advertised);
    if (advertised !== undefined && (given === undefined || !isUnspecified(given.host))) return;
    throw reasonError(
      'not_advertisable',
      `Cannot advertise ${advertised ?? this.#bindAddr}: it means every address of this machine, and others can't dial that; give advertiseAddr ('node-1.example:7000'), or bind one address`,
      { target: this.#bindAddr },
    );
  }
}

/** Where a dial goes. @throws TransportError `invalid_argument` */
function placeOf(address: string): HostPort {
  const place = parseTcpAddress(address);
  if (place === undefined || place.host === '' || place.port === 0) throw badAddress('dial', address);
  return place;
}

function parseTcpAddress(text: string) {
  return parseHostPort(text.replace(/^tcp:\/\/([^/]*)\/?$/i, '$1'));
}

function badAddress(action: string, address: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot ${action} '${address}': a TCP address is 'host:port' or 'tcp://host:port', an IPv6 host stands in brackets`,
    { target: address },
  );
}

/** A dial to a free local port may, rarely, be given that very port as its own and so meet itself (a simultaneous open). */
function isOwnEcho(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}
