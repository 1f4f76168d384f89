// Mutual TLS of one node: its key and certificate, whom it trusts, and every connection that stands on them. One value serves many layers.

import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { TransportError } from '@trunkline/transport-core';
import { type Credentials, readCredentials } from './credentials.ts';
import { Peer, type Trust } from './peer.ts';
import { Secured } from './secured.ts';
import { type AcceptorHost, type AcceptorOptions, TlsAcceptor } from './tls-acceptor.ts';
import { tlsDialError } from './tls-errors.ts';
import { mergeTls, parseTls, type TlsOptions, type TlsUpdate } from './tls-options.ts';

export interface SecureOptions {
  /** What was dialled, for errors. */
  readonly address: string;
  /** Whom the dialler means to reach. */
  readonly nodeId: string | undefined;
  done(secured: Secured): void;
  failed(error: TransportError): void;
}

export class MutualTls implements AcceptorHost {
  /** The other ends of connections that live, and are wanted. */
  readonly live = new Set<Peer>();
  readonly #acceptors = new Set<TlsAcceptor>();
  #options: TlsOptions;
  #credentials: Credentials | undefined;
  #trust: Trust | undefined;

  /** A TypeError of `name` says what is wrong by its path; what key and certificates hold is checked by `check`. */
  constructor(options: TlsOptions, name: string) {
    this.#options = parseTls(options, name);
  }

  /** Reads key, certificate and authorities; `invalid_argument` naming what is wrong with which. */
  check(): Credentials {
    this.#credentials ??= readCredentials(this.#options);
    return this.#credentials;
  }

  /** This node's id; undefined as long as its key and certificate can't be read, which `check` tells of. */
  get nodeId(): string | undefined {
    try {
      return this.check().nodeId;
    } catch {
      return undefined;
    }
  }

  get trust(): Trust {
    this.#trust ??= trustOf(this.#options, this.check());
    return this.#trust;
  }

  /**
   * Changes what is given, and at once: new connections use it, those whose node is not wanted any more are cut, the others stay.
   * Where a new key, certificate or authority is bad, everything stays as it was (`invalid_argument`).
   */
  update(update: TlsUpdate): void {
    const options = mergeTls(this.#options, update);
    const isRenewed = options.key !== this.#options.key || options.cert !== this.#options.cert || options.ca !== this.#options.ca;
    const credentials = isRenewed ? readCredentials(options) : this.check();
    const trust = trustOf(options, credentials);
    this.#options = options;
    this.#credentials = credentials;
    this.#trust = trust;
    if (isRenewed) for (const acceptor of this.#acceptors) acceptor.renew(credentials.options);
    for (const peer of [...this.live]) peer.reconsider(trust);
  }

  /** For sockets that a listener accepts. */
  acceptor(options: AcceptorOptions): TlsAcceptor {
    const acceptor = new TlsAcceptor(this, this.check().options, options);
    this.#acceptors.add(acceptor);
    return acceptor;
  }

  gone(acceptor: TlsAcceptor): void {
    this.#acceptors.delete(acceptor);
  }

  /**
   * The dialling side: the handshake over a socket that is connected, or will be. Who dials sees to its time, and destroys `raw` to
   * give up. What is written to the socket that it gives leaves when the handshake is through.
   */
  secure(raw: Socket, { address, nodeId, done, failed }: SecureOptions): TLSSocket {
    const { context } = this.check();
    const socket = connect({
      socket: raw,
      secureContext: context,
      // The handshake comes through whoever it is; the peer is judged then, and told why it is refused.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      servername: '',
    });
    const onError = (error: Error) => failed(tlsDialError(error, address));
    socket.on('error', onError);
    socket.once('secureConnect', () => {
      const peer = new Peer(socket, nodeId, this.trust, this.live);
      done(new Secured(socket, raw, peer));
      socket.off('error', onError);
    });
    return socket;
  }
}

function trustOf({ ca, allow, deny }: TlsOptions, { nodeId }: Credentials): Trust {
  return { self: nodeId, hasAuthority: ca !== undefined, allow: allow && new Set(allow), deny: new Set(deny) };
}

/** `update` of what may not be there: `failed_precondition` then. */
export function updateTls(tls: MutualTls | undefined, update: TlsUpdate): void {
  if (tls === undefined) throw new TransportError('failed_precondition', "updateTls: there is no TLS here; give the option 'tls' from the beginning");
  tls.update(update);
}
