// Mutual TLS of one node: its key and certificate, the peers that it trusts, and all connections
// that depend on them. One value serves many stream layers. Programs without TLS import this file,
// too, so node:tls is loaded when it is used. Tested in tls-connection.test.ts, in
// parse-tls-options.test.ts, and over TCP and WebSocket by `tlsIdentitySuite` of transport-testkit.

import type { Socket } from 'node:net';
import type { SecureContextOptions, Server, TLSSocket } from 'node:tls';
import { type Clock, type ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  formatHostPort,
  type HandshakeSlot,
  isNodeId,
  type ListenOptions,
  type OptionField,
  option,
  optionsSchema,
  type Pem,
  parseOptions,
  type StreamLayer,
  type TlsOptions,
  type TlsUpdate,
} from '@trunkline/transport-core/backend';
import { type Credentials, readCredentials } from './credentials.ts';
import { getBuiltinModule } from './system-process.ts';
import {
  cutOff,
  TlsConnection,
  TlsRemote,
  type Trust,
  tlsAcceptError,
  tlsClosed,
  tlsDialError,
  tlsReplaced,
  tlsTimeout,
} from './tls-remote.ts';

/** Options of {@link MutualTls.secure}. */
export interface MutualTlsDialOptions {
  /** The dialed address, for errors. */
  readonly address: string;
  /** The id of the node to reach, if it is known. */
  readonly nodeId: string | undefined;
  /**
   * Receives the connection when the handshake is complete, also that of a peer that this end
   * refuses (`secured.refused`). It must listen to the `error` events of the socket: nobody else
   * does from then on, and an event without a listener ends the process. It must call
   * `secured.release` when the connection has ended.
   */
  done(secured: TlsConnection): void;
  /**
   * Receives the error if the handshake failed; more errors of the socket may follow. It must
   * destroy `raw`.
   */
  failed(error: TransportError): void;
}

/** Mutual TLS of one node; see {@link TlsOptions}. */
export class MutualTls {
  /**
   * The other ends of live connections that are still trusted. Each TlsRemote adds itself, and
   * removes itself when it loses trust or when the owner of its connection calls `release`.
   */
  readonly live = new Set<TlsRemote>();
  readonly #acceptors = new Set<TlsAcceptor>();
  /** The number of times that `update` has replaced the authorities. */
  caVersion = 0;
  #options: TlsOptions;
  #credentials: Credentials | undefined;
  #trust: Trust | undefined;

  /**
   * Checks the shape of the options; a TypeError starts with `name` and gives the path of the
   * invalid option. The contents of key and certificates are checked by `check`.
   */
  constructor(options: TlsOptions, name: string) {
    this.#options = parseTls(options, name);
  }

  /**
   * Reads key, certificate and authorities, unless it has read them already. Throws
   * `invalid_argument`, naming the option and the problem.
   */
  check(): Credentials {
    this.#credentials ??= readCredentials(this.#options);
    return this.#credentials;
  }

  /** This node's id; undefined if `check` throws. */
  get nodeId(): string | undefined {
    try {
      return this.check().nodeId;
    } catch {
      return undefined;
    }
  }

  /** The certificate of this node; undefined if `check` throws. */
  get certificate(): StreamLayer['certificate'] {
    return this.nodeId === undefined ? undefined : this.check().certificate;
  }

  /** The nodes that this end trusts now; `update` may change it. Throws what `check` throws. */
  get trust(): Trust {
    this.#trust ??= trustOf(this.#options, this.check());
    return this.#trust;
  }

  /**
   * Replaces the given options immediately. New connections use them; connections to nodes whose
   * ids are no longer trusted are aborted; all others stay, even if their authority was replaced.
   * If the authorities are replaced, TLS handshakes in progress fail with `reset`.
   * Throws `invalid_argument` if the resulting key, certificate or authorities are invalid, and a
   * TypeError for options of the wrong shape; then everything stays as it was.
   */
  update(update: TlsUpdate): void {
    const options = mergeTls(this.#options, update);
    // Bytes and lists are compared by identity: equal ones in a new object are merely read again.
    const isRenewed =
      options.key !== this.#options.key ||
      options.cert !== this.#options.cert ||
      options.ca !== this.#options.ca;
    const credentials = isRenewed ? readCredentials(options) : this.check();
    const trust = trustOf(options, credentials);
    // Compared by text, because a daily renewal may read the same authorities again.
    if (String(options.ca) !== String(this.#options.ca)) this.caVersion++;
    this.#options = options;
    this.#credentials = credentials;
    this.#trust = trust;
    if (isRenewed) for (const acceptor of this.#acceptors) acceptor.renew(credentials.options);
    for (const peer of [...this.live]) peer.reconsider(trust);
  }

  /**
   * Creates an acceptor for sockets that a listener accepts; close it when the listener closes.
   * Throws what `check` throws.
   */
  acceptor(options: AcceptorOptions): TlsAcceptor {
    const acceptor = new TlsAcceptor(this, this.check().options, options);
    this.#acceptors.add(acceptor);
    return acceptor;
  }

  /** Called by an acceptor that was closed: it needs no renewed credentials anymore. */
  gone(acceptor: TlsAcceptor): void {
    this.#acceptors.delete(acceptor);
  }

  /**
   * Runs the dialing side of the handshake over a socket that is or will be connected. The caller
   * enforces the timeout, and destroys `raw` to give up. Data written to the returned socket is
   * sent after the handshake. Throws what `check` throws, so call that before you open `raw`.
   */
  secure(raw: Socket, { address, nodeId, done, failed }: MutualTlsDialOptions): TLSSocket {
    const { context } = this.check();
    const { caVersion } = this;
    const socket = getBuiltinModule('node:tls').connect({
      socket: raw,
      secureContext: context,
      // This lets every handshake succeed. The peer is judged afterwards, so that it learns why it
      // is refused.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      servername: '',
    });
    const onError = (error: Error) => failed(tlsDialError(error, address));
    socket.on('error', onError);
    socket.once('secureConnect', () => {
      // OpenSSL has judged the certificate of the peer by the old authorities.
      if (this.caVersion !== caVersion) return failed(tlsReplaced(address));
      const peer = new TlsRemote(socket, nodeId, this.trust, this.live);
      done(new TlsConnection(socket, raw, peer));
      socket.off('error', onError);
    });
    return socket;
  }
}

function trustOf({ ca, allow, deny }: TlsOptions, { nodeId }: Credentials): Trust {
  return {
    self: nodeId,
    hasAuthority: ca !== undefined,
    allow: allow && new Set(allow),
    deny: new Set(deny),
  };
}

/** Calls `tls.update`, or throws `failed_precondition` if there is no TLS. */
export function updateTls(tls: MutualTls | undefined, update: TlsUpdate): void {
  if (tls === undefined)
    throw new TransportError(
      'failed_precondition',
      "updateTls: this backend does not use TLS; create it with the option 'tls'",
    );
  tls.update(update);
}

// The accepting side of TLS. A connection first gets a handshake slot, then performs its TLS
// handshake within a timeout, and is then handed over.

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
   * the rest of the handshake's timeout in milliseconds. The peer may be one that this end refuses
   * (`secured.refused`). `accept` must call `secured.release` as `MutualTlsDialOptions.done` must.
   */
  accept(secured: TlsConnection, slot: HandshakeSlot | undefined, left: number): void;
}

/** Runs the TLS handshakes of the sockets that a listener accepts. */
export class TlsAcceptor {
  readonly #tls: MutualTls;
  readonly #options: AcceptorOptions;
  readonly #server: Server;
  /** The connections that wait for their slot or are in their handshake; by `pairOf`. */
  readonly #pending = new Map<string, TlsHandshake>();

  constructor(tls: MutualTls, context: SecureContextOptions, options: AcceptorOptions) {
    this.#tls = tls;
    this.#options = options;
    // The server never listens: connections are passed to it after they have got a handshake slot.
    // It requests a certificate but accepts any, because a refused peer should learn the reason,
    // which a TLS alert cannot express.
    const { createServer } = getBuiltinModule('node:tls');
    this.#server = createServer({ ...context, requestCert: true, rejectUnauthorized: false });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error: Error & { code?: string }, socket) => {
      const handshake = this.#pending.get(pairOf(socket));
      handshake?.end(tlsAcceptError(error, handshake.endpoint));
    });
  }

  /** Sets the credentials of new connections. */
  renew(context: SecureContextOptions): void {
    this.#server.setSecureContext(context);
  }

  /**
   * Takes a socket that has just been accepted and from which nothing has been read yet. The
   * listener needs `pauseOnConnect`, and must not have `allowHalfOpen`. Must not be called after
   * `close`.
   */
  take(raw: Socket): void {
    const endpoint = endpointOf(raw);
    if (endpoint === undefined) return void raw.destroy();
    raw.on('error', ignore);
    const { listen } = this.#options;
    if (listen === undefined) return this.#begin(this.#wait(raw, endpoint, HANDSHAKE));
    // Nothing is allocated for a connection that the limiter refuses, so that refusing stays cheap
    // in a flood. A slot may have to wait for its turn, which may also come within `acquire`.
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
    const pair = pairOf(raw);
    const handshake = new TlsHandshake(raw, endpoint, this.#options.clock, () =>
      this.#pending.delete(pair),
    );
    this.#pending.set(pair, handshake);
    handshake.within(timeout);
    return handshake;
  }

  #begin(handshake: TlsHandshake): void {
    const { over, raw } = handshake;
    if (over) return;
    handshake.caVersion = this.#tls.caVersion;
    this.#options.tune(raw);
    // The TLSSocket reads from the handle of the paused socket itself, so nobody resumes it.
    this.#server.emit('connection', raw);
  }

  /** Ends the connections that wait for their slot and the handshakes in progress. */
  close(): void {
    this.#tls.gone(this);
    for (const handshake of [...this.#pending.values()])
      handshake.end(tlsClosed(handshake.endpoint));
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#pending.get(pairOf(socket));
    if (handshake === undefined) return void socket.destroy();
    if (handshake.caVersion !== this.#tls.caVersion)
      return handshake.end(tlsReplaced(handshake.endpoint));
    handshake.stop();
    // During the handshake, the end of the socket is the end of the connection; from here on, the
    // connection decides when each side ends.
    socket.allowHalfOpen = true;
    const { raw, slot } = handshake;
    const peer = new TlsRemote(socket, undefined, this.#tls.trust, this.#tls.live);
    this.#options.accept(new TlsConnection(socket, raw, peer), slot, handshake.left);
  }
}

/**
 * One connection from its acceptance to the end of its handshake. `#wait` starts its timeout
 * (`within`) at once. Either `stop` hands its socket and its slot over, or `end` destroys the
 * socket and leaves the slot.
 */
class TlsHandshake {
  readonly raw: Socket;
  readonly endpoint: string;
  readonly #clock: Clock;
  readonly #forget: () => void;
  slot: HandshakeSlot | undefined;
  /** The `caVersion` of this end when the TLS handshake began. */
  caVersion = 0;
  over = false;
  #timer: ClockTimer;
  #due = 0;

  constructor(raw: Socket, endpoint: string, clock: Clock, forget: () => void) {
    this.raw = raw;
    this.endpoint = endpoint;
    this.#clock = clock;
    this.#forget = forget;
    raw.on('close', this.#closed);
  }

  within(timeout: number): void {
    this.#due = this.#clock.now() + timeout;
    this.#timer = this.#clock.setTimeout(
      () => this.end(tlsTimeout(this.endpoint, timeout)),
      timeout,
    );
  }

  /** The number of milliseconds left of the timeout. */
  get left(): number {
    return Math.max(this.#due - this.#clock.now(), 0);
  }

  /**
   * Stops the timer and forgets the handshake. If the handshake is complete, the socket and the
   * handshake slot belong to the connection from now on.
   */
  stop(): void {
    this.over = true;
    this.raw.off('close', this.#closed);
    this.#clock.clearTimeout(this.#timer);
    this.#forget();
  }

  /** Fails the handshake and destroys the socket. */
  end(error: TransportError): void {
    if (this.over) return;
    this.stop();
    this.raw.destroy();
    this.slot?.leave(error);
  }

  readonly #closed = (): void => this.end(tlsAcceptError(undefined, this.endpoint));
}

function endpointOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : formatHostPort(remoteAddress, remotePort ?? 0);
}

/**
 * Returns the key of a connection: the addresses of both ends, because a peer may use one local
 * port for several of our addresses. A closed socket has no addresses, so nothing is found for it;
 * the 'close' of its raw socket ends the handshake.
 */
function pairOf(socket: Socket): string {
  return `${socket.localAddress} ${socket.localPort} ${endpointOf(socket)}`;
}

/** Ignores an error of an accepted socket: its 'close' follows and ends the handshake. */
function ignore(): void {}

/**
 * Timeout of a handshake, in milliseconds, for a layer without `ListenOptions`: the default of the
 * option `handshakeTimeout` (common-options.ts).
 */
const HANDSHAKE = 5_000;

// Checks the options of mutual TLS, and applies changes to them.

/**
 * Checks the shape of the options. A TypeError starts with `name` and gives the path of the invalid
 * option ('tls.key'). The contents are checked when they are used.
 */
export function parseTls(options: TlsOptions, name: string): TlsOptions {
  return parseOptions(schema, { tls: options }, name).tls as TlsOptions;
}

/** Returns the options after a change. Throws a TypeError that names the invalid option. */
export function mergeTls(before: TlsOptions, update: TlsUpdate): TlsOptions {
  const { key, cert, ca, allow, deny } = parseOptions(
    updateSchema,
    update,
    'updateTls',
  ) as TlsUpdate;
  return {
    key: key ?? before.key,
    cert: cert ?? before.cert,
    ca: ca === null ? undefined : (ca ?? before.ca),
    allow: allow === null ? undefined : (allow ?? before.allow),
    deny: deny ?? before.deny,
  };
}

const isPem = (value: unknown) =>
  (typeof value === 'string' || value instanceof Uint8Array) && value.length > 0;
const isPems = (value: unknown) =>
  isPem(value) || (Array.isArray(value) && value.length > 0 && value.every(isPem));
const isIds = (value: unknown) =>
  Array.isArray(value) && value.every((id) => typeof id === 'string' && isNodeId(id));

const PEM = 'PEM, as a string or the bytes of a file';
const IDS = 'a list of node ids: 64 lower-case hex digits each';

const pem = option.reference<Pem>(isPem, PEM);
const pems = option.reference<Pem | readonly Pem[]>(isPems, `${PEM}, or a list of them`);
const ids = option.reference<readonly string[]>(isIds, IDS);

const schema = optionsSchema({
  tls: optionsSchema({
    key: pem,
    cert: pem,
    ca: option.optional(pems),
    allow: option.optional(ids),
    deny: option.optional(ids),
  }),
});

const orNull = <T>({ read }: OptionField<T, T>): OptionField<T | null, T | null> => ({
  read: (given, path, wrong) => (given === null ? null : read(given, path, wrong)),
});

const updateSchema = optionsSchema({
  key: option.optional(pem),
  cert: option.optional(pem),
  ca: option.optional(orNull(pems)),
  allow: option.optional(orNull(ids)),
  deny: option.optional(ids),
});
