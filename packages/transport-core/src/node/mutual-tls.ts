// Mutual TLS of one node: its key and certificate, the peers that it trusts, and all connections
// that depend on them. One value serves many stream layers. Programs without TLS import this file,
// too, so node:tls is loaded when it is used.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { TransportError } from '@trunkline/transport-core';
import type { StreamLayer, TlsOptions, TlsUpdate } from '@trunkline/transport-core/backend';
import { type Credentials, readCredentials } from './credentials.ts';
import { mergeTls, parseTls } from './parse-tls-options.ts';
import { getBuiltinModule } from './system-process.ts';
import { type AcceptorHost, type AcceptorOptions, TlsAcceptor } from './tls-acceptor.ts';
import { TlsConnection } from './tls-connection.ts';
import { tlsDialError } from './tls-errors.ts';
import { TlsRemote, type Trust } from './tls-remote.ts';

/** Options of {@link MutualTls.secure}. */
export interface MutualTlsDialOptions {
  /** The dialed address, for errors. */
  readonly address: string;
  /** The id of the node to reach, if it is known. */
  readonly nodeId: string | undefined;
  /** Receives the connection when the handshake is complete. */
  done(secured: TlsConnection): void;
  /** Receives the error if the handshake failed. */
  failed(error: TransportError): void;
}

/** Mutual TLS of one node; see {@link TlsOptions}. */
export class MutualTls implements AcceptorHost {
  /** The other ends of live connections that are still trusted. */
  readonly live = new Set<TlsRemote>();
  readonly #acceptors = new Set<TlsAcceptor>();
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
   * Reads key, certificate and authorities. Throws `invalid_argument`, naming the option and the
   * problem.
   */
  check(): Credentials {
    this.#credentials ??= readCredentials(this.#options);
    return this.#credentials;
  }

  /** This node's id; undefined if its key or certificate cannot be read, which `check` reports. */
  get nodeId(): string | undefined {
    try {
      return this.check().nodeId;
    } catch {
      return undefined;
    }
  }

  /** The certificate of this node; undefined if it cannot be read. */
  get certificate(): StreamLayer['certificate'] {
    return this.nodeId === undefined ? undefined : this.check().certificate;
  }

  get trust(): Trust {
    this.#trust ??= trustOf(this.#options, this.check());
    return this.#trust;
  }

  /**
   * Replaces the given options immediately. New connections use them; connections to nodes that are
   * no longer trusted are aborted; all others stay. Throws `invalid_argument` if a new key,
   * certificate or authority is invalid; then everything stays as it was.
   */
  update(update: TlsUpdate): void {
    const options = mergeTls(this.#options, update);
    const isRenewed =
      options.key !== this.#options.key ||
      options.cert !== this.#options.cert ||
      options.ca !== this.#options.ca;
    const credentials = isRenewed ? readCredentials(options) : this.check();
    const trust = trustOf(options, credentials);
    this.#options = options;
    this.#credentials = credentials;
    this.#trust = trust;
    if (isRenewed) for (const acceptor of this.#acceptors) acceptor.renew(credentials.options);
    for (const peer of [...this.live]) peer.reconsider(trust);
  }

  /** Creates an acceptor for sockets that a listener accepts. */
  acceptor(options: AcceptorOptions): TlsAcceptor {
    const acceptor = new TlsAcceptor(this, this.check().options, options);
    this.#acceptors.add(acceptor);
    return acceptor;
  }

  gone(acceptor: TlsAcceptor): void {
    this.#acceptors.delete(acceptor);
  }

  /**
   * Runs the dialing side of the handshake over a socket that is or will be connected. The caller
   * enforces the timeout, and destroys `raw` to give up. Data written to the returned socket is
   * sent after the handshake.
   */
  secure(raw: Socket, { address, nodeId, done, failed }: MutualTlsDialOptions): TLSSocket {
    const { context } = this.check();
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
