// The interface of a backend whose connections prove node ids, as the identity suite tests it: it
// makes nodes, and gives access to the layer below them.

import type { CommonOptions, Protocol, Transport } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';

/** A node's id and its means of proving it. Everything else in it is up to the backend. */
export interface IdentityCredentials {
  readonly nodeId: string;
}

/** Node ids that a node allows and denies. */
export interface IdentityLists {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
}

/** A change at run time; omitted members stay as they are. */
export interface IdentityChange<P extends IdentityCredentials> {
  readonly allow?: readonly string[] | null | undefined;
  readonly deny?: readonly string[] | undefined;
  /** Key, certificate and authority, all three. */
  readonly credentials?: P | undefined;
}

/** A transport of one node. */
export interface IdentityTransport<P extends IdentityCredentials, Q extends Protocol> {
  readonly transport: Transport<Q>;
  /**
   * Changes lists and credentials in the backend's own way; resolves once the change is in effect.
   */
  update(change: IdentityChange<P>): Promise<void>;
}

/** A backend that proves identities, under test by the identity suite. */
export interface IdentityBackend<P extends IdentityCredentials = any> {
  /** Prefix of each title: 'tls'. */
  readonly name: string;
  /**
   * Creates a new node with valid credentials. All nodes trust each other unless their lists forbid
   * it.
   */
  credentials(key?: 'ed25519' | 'p256'): Promise<P>;
  /**
   * Creates a transport that does not listen yet, at `address` or at an address of its own choice.
   * Clock and observer are in the options.
   */
  transport<Q extends Protocol>(
    credentials: P,
    options: CommonOptions & { protocol: Q },
    place: { readonly lists?: IdentityLists | undefined; readonly address?: string | undefined },
  ): IdentityTransport<P, Q>;
  /** Creates a stream layer of that node, for raw peers and for pairs of connections. */
  layer(credentials: P): StreamLayer;
  /** The same backend without any proof of identity. */
  readonly plain: {
    transport<Q extends Protocol>(options: CommonOptions & { protocol: Q }): Transport<Q>;
    /** Returns the address of a secured end as a plain end writes it. Default: unchanged. */
    toSecured?(address: string): string;
    /** Returns the address of a plain end as a secured end writes it. Default: unchanged. */
    fromSecured?(address: string): string;
  };
  /**
   * The layer of plain bytes that carries the secured connections. The suite uses it to eavesdrop,
   * alter, cut and impersonate.
   */
  readonly beneath: {
    layer(): StreamLayer;
    /** Returns the underlying address of a secured address. Default: the same. */
    under?(address: string): string;
    /** Returns the secured address for an address of this layer. Default: the same. */
    over?(address: string): string;
    /** True if a dial completes only once the acceptor has a handshake slot for it. */
    readonly dialsWait?: boolean | undefined;
    /**
     * Returns true while connections are made or carry bytes outside the event loop; the clock
     * stands still during that time. `createTransitWatch` makes one. Cases must then run one at a
     * time.
     */
    isBusy?(): boolean;
  };
  /**
   * The real time, in milliseconds, without an event after which a case counts as hanging; at most
   * 30,000. Default: 4,500. Set more if it may take seconds to make a connection.
   */
  readonly stallTimeout?: number | undefined;
  /** Certificates for the cases about them. Omitted if ids are proven without certificates. */
  readonly certificates?: IdentityCertificates<P> | undefined;
  /**
   * Credentials that show the victim's public key, without its private key. Omitted if no transport
   * accepts such credentials.
   */
  readonly impostors?:
    | Readonly<Record<(typeof IMPOSTORS)[number], (victim: P) => Promise<P>>>
    | undefined;
  /**
   * Creates TLS clients that share no code with the backend under test. Omitted if there is no TLS.
   */
  readonly tls?: { client(options: TlsClientOptions<P>): TlsClient } | undefined;
  /**
   * Creates a node without a list of allowed ids, for backends whose nodes then trust only the ids
   * that they dial. Omitted if any node that proves an id is accepted.
   */
  readonly untrusting?: { alone(): Promise<P> } | undefined;
  /**
   * The number of bytes of a handshake that are not checked: a connection may survive a changed bit
   * in them. Default: 0.
   */
  readonly ignoredBytes?: number | undefined;
  /**
   * Cases that this backend cannot pass: title → reason; at most 7. An unknown title or a missing
   * reason throws a TypeError.
   */
  readonly skip?: Readonly<Record<string, string>> | undefined;
}

/** Flaws of credentials that a transport accepts but its peers refuse. */
export const REFUSED = [
  'a certificate of another authority',
  'a certificate that has expired',
  'a certificate that is not valid yet',
  'a self-signed certificate',
] as const;
/**
 * Flaws of credentials that no transport accepts; peers built by hand present them and are refused.
 */
export const UNSUPPORTED = ['an RSA key', 'a P-384 key', 'no certificate'] as const;
/** Flaws of credentials that cannot be used at all. */
export const UNUSABLE = [
  'a key that does not fit its certificate',
  'a key that is cut off',
  'an invalid key',
  'a key of RSA',
  'a certificate that is cut off',
  'an invalid certificate',
  'an authority that is cut off',
] as const;

/** Ways in which an impostor that presents another node's public key attempts the proof. */
export const IMPOSTORS = [
  'signs with a key of its own',
  'sends zeros as a signature',
  'sends a signature that the victim made of other data',
] as const;

/** A flawed item that must be refused, and the text of its refusal. */
export interface IdentityFlaw<T> {
  make(): Promise<T>;
  /** Matches the error text. */
  readonly says: RegExp;
}

/** Flawed and changed credentials, for backends whose credentials contain certificates. */
export interface IdentityCertificates<P extends IdentityCredentials> {
  readonly refused: Readonly<Record<(typeof REFUSED)[number], IdentityFlaw<P>>>;
  readonly unsupported: Readonly<Record<(typeof UNSUPPORTED)[number], IdentityFlaw<StreamLayer>>>;
  /**
   * Creates credentials with hundreds of certificates in the chain, more than a handshake should
   * carry.
   */
  giant(): Promise<P>;
  readonly unusable: Readonly<Record<(typeof UNUSABLE)[number], IdentityFlaw<P>>>;
  /** Returns the same key with a new certificate. */
  renewed(credentials: P): Promise<P>;
  /** Returns the same key with a certificate that has expired. */
  outdated(credentials: P): Promise<P>;
  /** Returns the same key and certificate, trusting only another authority. */
  retrusted(credentials: P): Promise<P>;
  /**
   * Creates a node of the authority that `retrusted` trusts; it trusts the first authority as well.
   */
  foreign(): Promise<P>;
}

/** Options of a TLS client that is not ours. */
export interface TlsClientOptions<P extends IdentityCredentials> {
  readonly credentials: P;
  /** A session of an earlier connection, to be resumed. */
  readonly session?: unknown;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly servername?: string | undefined;
}

/** A stream layer that dials with such a client. */
export interface TlsClient {
  readonly layer: StreamLayer;
  /** Returns true if the last connection was resumed. */
  reused(): boolean;
  /**
   * Returns every session of the last connection that the server gave, or that the client could
   * derive from it.
   */
  sessions(): readonly unknown[];
  /** Requests a renegotiation on the last connection; resolves to true if it happened. */
  renegotiated(): Promise<boolean>;
}
