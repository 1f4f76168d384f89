// The identity suite for backends under mutual TLS: it makes their credentials. Its unchecked
// clients are TLS ends that the backend's tests build with node:tls.

import type { CommonOptions, Protocol, Transport } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import type { IdentityBackend, IdentityCredentials, IdentityLists } from '../identity/backend.ts';
import { IDENTITY_CASES } from '../identity/identity-suite.ts';
import { register } from '../identity/suite.ts';
import type { TestFunction } from '../test-runner.ts';
import { certificateCases } from './certificates.ts';
import { rotationCases } from './rotation.ts';
import { type TlsClientOptions, tlsClientCases } from './tls-clients.ts';
import { type TlsCredentials, type TlsIdentityTools, tlsCredentials } from './tls-credentials.ts';
import { unusableCases } from './unusable.ts';
import { WEAK_KEYS } from './weak-keys.ts';

/** The part of a `tls.TLSSocket` that the suite uses. */
export interface RawTlsSocket {
  getSession(): Uint8Array | undefined;
  isSessionReused(): boolean;
  renegotiate(
    options: { rejectUnauthorized: boolean },
    callback: (error: Error | null) => void,
  ): boolean | undefined;
  on(event: 'session', listener: (session: any) => void): unknown;
  once(event: 'secureConnect', listener: () => void): unknown;
}

/**
 * Keeps track of the TLS sessions of the last connection that a raw client has dialed. Before
 * `follow` was called, `all` throws a TypeError.
 */
export class TlsSessions {
  #socket: RawTlsSocket | undefined;
  #tickets: unknown[] = [];
  #isReused = false;

  /**
   * Follows a socket that has just been made; call it before the socket's handshake ends, because
   * earlier events are missed.
   */
  follow(socket: RawTlsSocket): void {
    this.#socket = socket;
    const tickets: unknown[] = [];
    this.#tickets = tickets;
    socket.on('session', (ticket) => tickets.push(ticket));
    socket.once('secureConnect', () => {
      this.#isReused = socket.isSessionReused();
    });
  }

  /**
   * Returns true if the last connection resumed a session. Until its handshake has ended, returns
   * the result of the connection before; at first, false.
   */
  reused(): boolean {
    return this.#isReused;
  }

  /** Returns the tickets of the server, and the session that the socket itself reports. */
  all(): unknown[] {
    return [...this.#tickets, this.#socket!.getSession()].filter((each) => each !== undefined);
  }

  /** Requests a renegotiation, which TLS 1.3 does not have. Resolves to true if it succeeded. */
  renegotiated(): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (error: Error | null) => resolve(error === null);
      try {
        if (this.#socket!.renegotiate({ rejectUnauthorized: false }, done) !== true) resolve(false);
      } catch {
        resolve(false);
      }
    });
  }
}

/** Options of a TLS end for node:tls; an end without a key presents no certificate. */
export interface RawTlsOptions {
  readonly key?: string;
  readonly cert?: string;
  readonly session?: any;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly minVersion?: 'TLSv1.2';
  readonly ALPNProtocols?: string[];
  readonly servername?: string;
}

/** A transport under TLS, whose lists and credentials can be changed. */
type TlsTransport<Q extends Protocol> = Transport<Q> & {
  updateTls(change: {
    readonly allow?: readonly string[] | null | undefined;
    readonly deny?: readonly string[] | undefined;
    readonly key?: string;
    readonly cert?: string;
    readonly ca?: string | readonly string[] | null;
  }): Promise<void>;
};

/** A backend under mutual TLS, as the suite needs it. */
export interface TlsIdentityBackend extends Pick<IdentityBackend, 'name' | 'plain' | 'beneath'> {
  /** Creates a transport of a node that does not listen yet. */
  transport<Q extends Protocol>(
    options: CommonOptions & {
      protocol: Q;
      address: string | undefined;
      tls: TlsCredentials['tls'] & IdentityLists;
    },
  ): TlsTransport<Q>;
  /** Creates a stream layer of a node. */
  layer(tls: TlsCredentials['tls']): StreamLayer;
  /**
   * Creates a layer that presents these options, accepts any peer, and calls `sessions.follow` with
   * the socket of each dial.
   */
  raw(options: RawTlsOptions, sessions: TlsSessions): StreamLayer;
}

/**
 * Declares all cases of `identitySuite`, and those of certificates. `tools` are the functions of
 * @trunkline/security.
 */
export async function tlsIdentitySuite(
  test: TestFunction,
  tools: TlsIdentityTools<any, any>,
  backend: TlsIdentityBackend,
): Promise<void> {
  const { alone, certificates } = await tlsCredentials(tools);
  const rawFlaw = (options: RawTlsOptions, says: RegExp) => ({
    make: async () => backend.raw(options, new TlsSessions()),
    says,
  });
  const identityBackend: IdentityBackend<TlsCredentials> = {
    name: backend.name,
    plain: backend.plain,
    beneath: backend.beneath,
    credentials: certificates.node,
    transport({ tls }, options, { lists, address }) {
      const transport = backend.transport({
        ...options,
        address,
        tls: { ...tls, ...lists },
      });
      return {
        transport,
        update: ({ allow, deny, credentials: next }) =>
          transport.updateTls({
            allow,
            deny,
            ...(next && { ...next.tls, ca: next.tls.ca ?? null }),
          }),
      };
    },
    layer: ({ tls }) => backend.layer(tls),
    untrusting: { alone },
    // The version in the headers of unencrypted records.
    ignoredBytes: 1,
    refused: certificates.refused,
  };
  const unsupported = {
    'an RSA key': rawFlaw(WEAK_KEYS.rsa, /rsa, 2048 bits/),
    'a P-384 key': rawFlaw(WEAK_KEYS.p384, /secp384r1/),
    'no certificate': rawFlaw({}, /it presented none/),
  };
  const client = ({ credentials, session, maxVersion, alpn, servername }: TlsClientOptions) => {
    const sessions = new TlsSessions();
    const options: RawTlsOptions = {
      key: credentials.tls.key,
      cert: credentials.tls.cert,
      session,
      maxVersion,
      minVersion: 'TLSv1.2',
      ...(alpn && { ALPNProtocols: [...alpn] }),
      ...(servername !== undefined && { servername }),
    };
    return {
      layer: backend.raw(options, sessions),
      reused: () => sessions.reused(),
      sessions: () => sessions.all(),
      renegotiated: () => sessions.renegotiated(),
    };
  };
  // The suite gives a backend only credentials that the same backend made, so any type fits.
  register(test, identityBackend as unknown as IdentityBackend<IdentityCredentials>, [
    ...IDENTITY_CASES,
    certificateCases(certificates, unsupported),
    unusableCases(certificates),
    rotationCases(certificates),
    tlsClientCases(client, certificates),
  ]);
}
