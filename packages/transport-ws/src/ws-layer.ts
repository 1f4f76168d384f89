// The WebSocket stream layer in Node. It listens on a port of its own, or takes the upgrades of a
// server that you pass. Tested in stream-layer.test.ts, and with such a server in
// given-server.test.ts.

import type { Server } from 'node:net';
import { type Clock, type Observer, systemClock, TransportError } from '@trunkline/transport-core';
import {
  type DialOptions,
  environmentSharesPorts,
  formatHostPort,
  type HandshakeSlot,
  type ListenOptions,
  notAdvertisable,
  PendingDials,
  reasonError,
  type StreamConnection,
  type StreamLayer,
  socketError,
  type TlsUpdate,
} from '@trunkline/transport-core/backend';
import {
  getBuiltinModule,
  type MutualTls,
  machine,
  updateTls,
} from '@trunkline/transport-core/node';
import { clientAddress } from './client-address.ts';
import { checkHeaders } from './headers.ts';
import { checkHosts, hostCheck } from './hosts.ts';
import { createUpgradeServer, HANDSHAKE } from './own-server.ts';
import { takeUpgrades, type UpgradeOptions } from './upgrades.ts';
import { advertisedHost, parseBinding, targetUrl } from './ws-address.ts';
import { dialWebSocket } from './ws-dial.ts';
import { loadWs } from './ws-library.ts';
import {
  checkWsOptions,
  type HttpServer,
  type WsStreamLayer,
  type WsStreamLayerOptions,
} from './ws-options.ts';

type Accept = (connection: StreamConnection, slot?: HandshakeSlot) => void;

export class WsLayer implements WsStreamLayer {
  readonly #options: WsStreamLayerOptions;
  readonly #tls: MutualTls | undefined;
  readonly #clock: Clock;
  readonly #observer: Observer | undefined;
  readonly #addressOf: ReturnType<typeof clientAddress>;
  /**
   * Undoes listen(); set from the moment listen() is called until it fails, the given `server`
   * closes, or close() is called.
   */
  #stop: (() => void) | undefined;
  #localAddr: string | undefined;
  /** The layer's own server, while it listens on a port of its own. */
  #listener: Server | undefined;
  readonly #dials: PendingDials;

  /** @param tls may be shared with other layers. */
  constructor(options: WsStreamLayerOptions, tls: MutualTls | undefined) {
    checkWsOptions(options);
    checkHosts(options.hosts);
    if (typeof options.headers !== 'function') checkHeaders(options.headers ?? {});
    this.#addressOf = clientAddress(options.trustProxy);
    this.#options = options;
    this.#tls = tls;
    this.#clock = options.clock ?? systemClock;
    this.#dials = new PendingDials(this.#clock);
    this.#observer = options.observer;
  }

  async listen(
    accept: Accept,
    failed?: (error: TransportError) => void,
    options?: ListenOptions,
  ): Promise<void> {
    if (this.#stop !== undefined)
      throw new TransportError(
        'failed_precondition',
        `Already listening on ${this.#localAddr ?? this.#options.bindAddr}: close() first`,
      );
    const { server } = this.#options;
    if (server === undefined) await this.#listenAlone(accept, options);
    else {
      const take = () => this.#listenBeside(server, accept, failed, options);
      await (server.listening ? take() : this.#whenItListens(server, take));
    }
  }

  /**
   * Stops accepting connections on a port of its own. A given `server` is left alone: until its
   * owner closes it, or `close` is called, its upgrades still become connections.
   */
  stopListening(): void {
    this.#listener?.close();
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    return dialWebSocket(address, options, {
      clock: this.#clock,
      tls: this.#tls,
      headers: this.#options.headers,
      dials: this.#dials,
    });
  }

  checkAddress(address: string): void {
    targetUrl(address);
  }

  localAddr(): string {
    if (this.#localAddr === undefined)
      throw new TransportError('failed_precondition', 'Not listening yet: await listen() first');
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
    return this.#options.advertiseAddr ?? this.localAddr();
  }

  async updateTls(update: TlsUpdate): Promise<void> {
    updateTls(this.#tls, update);
  }

  async close(): Promise<void> {
    this.#dials.close();
    this.#undoListen();
  }

  #undoListen(): void {
    const stop = this.#stop;
    this.#stop = undefined;
    this.#localAddr = undefined;
    this.#listener = undefined;
    stop?.();
  }

  async #listenAlone(accept: Accept, options: ListenOptions | undefined): Promise<void> {
    const {
      bindAddr = '127.0.0.1:0',
      reusePort = environmentSharesPorts(),
      path: pathOption,
    } = this.#options;
    const { host, port, path } = parseBinding(bindAddr, pathOption);
    if (reusePort && port === 0) throw noSharedPort(bindAddr);
    this.#checkAdvertised(host, bindAddr);
    const { listener, http, arrived, cut } = createUpgradeServer({
      clock: this.#clock,
      observer: this.#observer,
      tls: this.#tls,
      listen: options,
    });
    const stop = () => {
      listener.close();
      cut();
    };
    this.#stop = stop;
    try {
      const place = { port, ...(host !== '' && { host }), ...(reusePort && SHARED) };
      await loadWs();
      await bind(listener, place, () => this.#stop === stop);
      // The layer may have been closed since the port opened, in the same turn.
      if (this.#stop !== stop) throw listenCancelled();
      this.#listener = listener;
      this.#take(listener, bindAddr, { server: http, path, accept, arrived }, options?.timeout);
    } catch (error) {
      if (this.#stop === stop) this.#undoListen();
      else stop();
      throw error instanceof TransportError ? error : socketError(error, 'listen', bindAddr);
    }
    // An error event from here on means that one connection could not be accepted; the server still
    // listens.
    listener.on('error', (cause) => {
      const error = socketError(cause, 'accept', bindAddr);
      try {
        this.#observer?.event?.({ type: 'acceptFailed', error });
      } catch {
        // An observer that throws is ignored: it must not end the process.
      }
    });
  }

  /**
   * Calls `take` when the given server listens. Its `listen()` may have been called a moment
   * before, because Node looks up a host name first. `take` is called at once, so that `close`
   * always finds `#stop`, even if another listener of the event calls it.
   */
  #whenItListens(server: HttpServer, take: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (error?: TransportError) => {
        if (isOver) return;
        isOver = true;
        this.#clock.clearTimeout(timer);
        server.removeListener('listening', onListening);
        server.removeListener('error', onError);
        this.#stop = undefined;
        if (error === undefined) resolve(take());
        else reject(error);
      };
      const onListening = () => end();
      const onError = (error: Error) => end(socketError(error, 'listen', "the given 'server'"));
      const timer = this.#clock.setTimeout(
        () =>
          end(
            new TransportError(
              'failed_precondition',
              `The given 'server' does not listen after ${SERVER_TIME} ms: call its listen()`,
            ),
          ),
        SERVER_TIME,
      );
      server.on('listening', onListening);
      server.on('error', onError);
      this.#stop = () =>
        end(
          new TransportError('shutdown', "The layer was closed before the given 'server' listened"),
        );
    });
  }

  async #listenBeside(
    server: HttpServer,
    accept: Accept,
    failed: ((error: TransportError) => void) | undefined,
    listen: ListenOptions | undefined,
  ): Promise<void> {
    const onClose = () => {
      this.#undoListen();
      failed?.(reasonError('closed', "The given 'server' was closed"));
    };
    this.#stop = () => server.removeListener('close', onClose);
    try {
      this.#take(
        server,
        "the given 'server'",
        {
          server,
          path: this.#options.path ?? '/',
          accept,
          listen,
        },
        listen?.timeout,
      );
      server.on('close', onClose);
      await loadWs();
    } catch (error) {
      this.#undoListen();
      throw error;
    }
  }

  #take(
    listener: Pick<HttpServer, 'address'>,
    given: string,
    upgrades: Pick<UpgradeOptions, 'server' | 'path' | 'accept' | 'arrived' | 'listen'>,
    timeout = HANDSHAKE,
  ): void {
    const address = listener.address();
    // A server on a pipe has a path instead of an address that others could dial.
    this.#checkAdvertised(
      address === null || typeof address === 'string' ? '' : address.address,
      given,
    );
    const scheme =
      this.#tls !== undefined || listener instanceof getBuiltinModule('node:tls').Server
        ? 'wss'
        : 'ws';
    const place =
      address === null || typeof address === 'string'
        ? String(address)
        : formatHostPort(address.address, address.port);
    this.#localAddr = `${scheme}://${place}${upgrades.path}`;
    const { origins, upgrade, hosts, bindAddr, advertiseAddr } = this.#options;
    const own = [bindAddr, advertiseAddr].map((each) => each && advertisedHost(each));
    const bound = address === null || typeof address === 'string' ? undefined : address.address;
    const release = takeUpgrades({
      ...upgrades,
      origins,
      upgrade,
      observer: this.#observer,
      address: this.#localAddr,
      addressOf: this.#addressOf,
      timeout,
      isHost: hostCheck({ hosts, bound, own }),
      clock: this.#clock,
    });
    const before = this.#stop;
    this.#stop = () => {
      release();
      before?.();
    };
  }

  /** Throws if others can't dial the bound host and no `advertiseAddr` was given. */
  #checkAdvertised(host: string, name: string): void {
    const why = this.#options.advertiseAddr === undefined ? notAdvertisable(host) : undefined;
    if (why === undefined) return;
    throw reasonError(
      'not_advertisable',
      `Cannot advertise ${name}: ${why}, so other nodes can't dial it; give advertiseAddr ('ws://node-1.example:7001/'), or bind another address`,
      { target: name },
    );
  }
}

/** Returns the error for port 0, for which each listener would get a different port. */
function noSharedPort(address: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot listen on '${address}' with reusePort: for port 0 each listener gets another port; give a fixed port, or reusePort: false`,
    { target: address },
  );
}

function listenCancelled(): TransportError {
  return new TransportError('shutdown', 'Listening was cancelled: the layer was closed');
}

function bind(server: Server, place: object, isWanted: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancelled = () => reject(listenCancelled());
    if (!isWanted()) return cancelled();
    server.on('error', reject);
    server.on('close', cancelled);
    // Node binds even if close() was called while a host name was being looked up.
    server.on('listening', () => (isWanted() ? resolve() : server.close()));
    server.listen(place);
  });
}

/** The time limit, in milliseconds, for a given server to start listening. */
const SERVER_TIME = 5_000;
/** Node 20 ignores this option, and its types lack it. */
const SHARED: object = { reusePort: true };
