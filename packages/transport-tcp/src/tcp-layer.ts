// The TCP stream layer, plain or under mutual TLS: implements StreamLayer with node:net. Tested in
// stream-layer.test.ts and tcp-stream-layer.test.ts, and under TLS in identity.test.ts.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, type Observer, systemClock, TransportError } from '@trunkline/transport-core';
import {
  type DialOptions,
  environmentSharesPorts,
  formatHostPort,
  type HandshakeSlot,
  type HostPort,
  type ListenOptions,
  notAdvertisable,
  PendingDials,
  parseHostPort,
  reasonError,
  type StreamConnection,
  type StreamLayer,
  socketError,
  type TlsUpdate,
} from '@trunkline/transport-core/backend';
import {
  fixedLookup,
  type MutualTls,
  machine,
  type TlsAcceptor,
  type TlsConnection,
  updateTls,
} from '@trunkline/transport-core/node';
import { SocketReader } from './read-buffer.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { TcpStreamLayer, TcpStreamLayerOptions } from './tcp-options.ts';

/** A StreamLayer over TCP, with a MutualTls that may be shared with other layers. */
export class TcpLayer implements TcpStreamLayer {
  readonly #bindAddr: string;
  readonly #advertiseAddr: string | undefined;
  readonly #clock: Clock;
  readonly #observer: Observer | undefined;
  readonly #socketOptions;
  readonly #reusePort: boolean;
  readonly #tls: MutualTls | undefined;
  #acceptor: TlsAcceptor | undefined;
  /** Set from the moment listen() is called until it fails or close() is called. */
  #server: Server | undefined;
  /** Set from the moment listen() has bound the address until close(). */
  #localAddr: string | undefined;
  readonly #dials: PendingDials;

  constructor(options: TcpStreamLayerOptions, tls: MutualTls | undefined) {
    const {
      bindAddr = '127.0.0.1:0',
      advertiseAddr,
      keepAlive = 30_000,
      reusePort = environmentSharesPorts(),
      clock = systemClock,
      observer,
    } = options;
    this.#bindAddr = bindAddr;
    this.#advertiseAddr = advertiseAddr;
    this.#reusePort = reusePort;
    this.#clock = clock;
    this.#dials = new PendingDials(clock);
    this.#observer = observer;
    this.#tls = tls;
    // allowHalfOpen: the connection decides when each side ends.
    this.#socketOptions = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: keepAlive !== false,
      keepAliveInitialDelay: keepAlive || 0,
    };
  }

  async listen(
    accept: (connection: StreamConnection, slot?: HandshakeSlot) => void,
    _failed?: (error: TransportError) => void,
    options?: ListenOptions,
  ): Promise<void> {
    if (this.#server !== undefined)
      throw new TransportError(
        'failed_precondition',
        `Already listening on ${this.#localAddr ?? this.#bindAddr}: close() first`,
      );
    const bind = parseTcpAddress(this.#bindAddr);
    if (bind === undefined) throw badAddress('listen on', this.#bindAddr);
    if (this.#reusePort && bind.port === 0) throw noSharedPort(this.#bindAddr);
    this.#checkAdvertised(bind.host);
    const { keepAlive, keepAliveInitialDelay } = this.#socketOptions;
    const acceptor = this.#tls?.acceptor({
      clock: this.#clock,
      listen: options,
      tune: (socket) => socket.setNoDelay(true).setKeepAlive(keepAlive, keepAliveInitialDelay),
      accept: (secured, slot) =>
        accept(new TcpConnection(secured.socket, this.#clock, { secured }), slot),
    });
    // Under TLS, nothing is read before a connection has its handshake slot, and a peer that ends
    // during the handshake is closed (no allowHalfOpen).
    const server = createServer(
      acceptor === undefined ? this.#socketOptions : { pauseOnConnect: true },
    );
    this.#server = server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.on('error', reject);
        server.on('close', () =>
          reject(
            new TransportError(
              'shutdown',
              `Listening on ${this.#bindAddr} was cancelled: the layer was closed`,
            ),
          ),
        );
        // Node binds even if close() was called while a host name was being looked up.
        server.on('listening', () => (this.#server === server ? resolve() : server.close()));
        server.listen({
          port: bind.port,
          ...(bind.host !== '' && { host: bind.host }),
          ...(this.#reusePort && SHARED),
        });
      });
      const { address, port } = server.address() as AddressInfo;
      this.#checkAdvertised(address);
      // Node leaves out the zone of a link-local address; any other is complete without one.
      const isZoned = notAdvertisable(address) !== undefined && !address.includes('%');
      const zone = (isZoned && /%.*$/.exec(bind.host)?.[0]) || '';
      this.#localAddr = formatHostPort(address + zone, port);
    } catch (error) {
      server.close();
      acceptor?.close();
      if (this.#server === server) this.#server = undefined;
      throw error instanceof TransportError ? error : socketError(error, 'listen', this.#bindAddr);
    }
    // An error event from here on means that one connection could not be accepted; the server still
    // listens.
    server.on('error', (cause) => {
      const error = socketError(cause, 'accept', this.#bindAddr);
      try {
        this.#observer?.event?.({ type: 'acceptFailed', error });
      } catch {
        // An observer that throws is ignored: it must not end the process.
      }
    });
    this.#acceptor = acceptor;
    server.on('connection', (socket) => {
      if (acceptor === undefined) accept(new TcpConnection(socket, this.#clock));
      else acceptor.take(socket);
    });
  }

  stopListening(): void {
    this.#server?.close();
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    const { nodeId, addresses } = options;
    return this.#dials.open(address, options, ({ connected, failed }) => {
      const to = placeOf(address);
      this.#tls?.check();
      const reader = this.#tls === undefined ? new SocketReader() : undefined;
      const socket: Socket = connect({
        ...this.#socketOptions,
        host: to.host,
        port: to.port,
        lookup: fixedLookup(addresses),
        ...(reader && { onread: reader.onread() }),
      });
      const onError = (error: Error) => failed(socketError(error, 'dial', address));
      socket.on('error', onError);
      socket.once('connect', () => {
        if (isOwnEcho(socket))
          return failed(socketError({ code: 'ECONNREFUSED' }, 'dial', address));
        if (this.#tls === undefined) done(socket.pause());
        else
          this.#tls.secure(socket, {
            address,
            nodeId,
            done: (secured) => done(secured.socket, secured),
            failed,
          });
      });
      const done = (stream: Socket, secured?: TlsConnection) => {
        const connection = new TcpConnection(stream, this.#clock, { reader, secured });
        // Under TLS, the socket below keeps the listener: an error without one ends the process.
        if (secured === undefined) socket.off('error', onError);
        connected(connection);
      };
      return () => socket.destroy();
    });
  }

  checkAddress(address: string): void {
    placeOf(address);
  }

  localAddr(): string {
    if (this.#localAddr === undefined)
      throw new TransportError(
        'failed_precondition',
        `Not listening on ${this.#bindAddr} yet: await listen() first`,
      );
    return this.#localAddr;
  }

  get machine(): StreamLayer['machine'] {
    return machine;
  }

  get nodeId(): string | undefined {
    return this.#tls?.nodeId;
  }

  get certificate(): StreamLayer['certificate'] {
    return this.#tls?.certificate;
  }

  advertiseAddr(): string {
    return this.#advertiseAddr ?? this.localAddr();
  }

  async updateTls(update: TlsUpdate): Promise<void> {
    updateTls(this.#tls, update);
  }

  async close(): Promise<void> {
    this.#dials.close();
    const server = this.#server;
    const acceptor = this.#acceptor;
    this.#server = undefined;
    this.#acceptor = undefined;
    this.#localAddr = undefined;
    // The port is free when this returns. The server's 'close' event would wait for connections
    // that their owners have to end.
    server?.close();
    acceptor?.close();
  }

  /** Throws if others can't dial the bound host and no `advertiseAddr` was given. */
  #checkAdvertised(host: string): void {
    const why = this.#advertiseAddr === undefined ? notAdvertisable(host) : undefined;
    if (why === undefined) return;
    throw reasonError(
      'not_advertisable',
      `Cannot advertise ${this.#bindAddr}: ${why}, so other nodes can't dial it; give advertiseAddr ('node-1.example:7000'), or bind another address`,
      { target: this.#bindAddr },
    );
  }
}

/** Parses the target of a dial. @throws TransportError `invalid_argument` */
function placeOf(address: string): HostPort {
  const place = parseTcpAddress(address);
  if (place === undefined || place.host === '' || place.port === 0)
    throw badAddress('dial', address);
  return place;
}

function parseTcpAddress(text: string) {
  return parseHostPort(text.replace(/^tcp:\/\/([^/]*)\/?$/i, '$1'));
}

/** Returns the error for port 0, for which each listener would get a different port. */
function noSharedPort(address: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot listen on '${address}' with reusePort: for port 0 each listener gets another port; give a fixed port, or reusePort: false`,
    { target: address },
  );
}

function badAddress(action: string, address: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot ${action} '${address}': a TCP address is 'host:port' or 'tcp://host:port', with an IPv6 host in brackets`,
    { target: address },
  );
}

/**
 * Returns true if a socket is connected to itself. Rarely, the system assigns to a dial of a free
 * local port that same port as its own (a simultaneous open).
 */
function isOwnEcho(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}

/** Node 20 ignores this option, and its types lack it. */
const SHARED: object = { reusePort: true };
