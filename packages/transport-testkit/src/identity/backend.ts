// What the identity suite needs to know of a backend whose connections prove who is at their ends: how to make nodes, and what lies beneath.

import type { CommonOptions, Protocol, StreamLayer, Transport } from '@trunkline/transport-core';

/** Who a node is, and all that it proves it with. What else is in it is the backend's affair. */
export interface Papers {
  readonly nodeId: string;
}

/** Whom a node wants, by id. */
export interface Lists {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
}

/** What changes while a transport runs; what is left out stays as it is. */
export interface Change<P extends Papers> {
  readonly allow?: readonly string[] | null | undefined;
  readonly deny?: readonly string[] | undefined;
  /** Key, certificate and authority, all three. */
  readonly papers?: P | undefined;
}

/** A transport of one node. */
export interface IdentityTransport<P extends Papers, Q extends Protocol> {
  readonly transport: Transport<Q>;
  /** The backend's own way to change lists and papers: resolves once it holds. */
  update(change: Change<P>): Promise<void>;
}

export interface IdentityBackend<P extends Papers = any> {
  /** Stands before each title: 'tls'. */
  readonly name: string;
  /** A new node whose papers are in order; all of them trust each other, unless lists say otherwise. */
  papers(key?: 'ed25519' | 'p256'): Promise<P>;
  /** A transport that does not listen yet, at `address` or where it likes. Clock and observer come with the options. */
  transport<Q extends Protocol>(
    papers: P,
    options: CommonOptions & { protocol: Q },
    place: { readonly lists?: Lists | undefined; readonly address?: string | undefined },
  ): IdentityTransport<P, Q>;
  /** A stream layer of that node, for raw peers and for pairs. */
  layer(papers: P): StreamLayer;
  /** The same without any proof. */
  readonly plain: {
    transport<Q extends Protocol>(options: CommonOptions & { protocol: Q }): Transport<Q>;
    /** How a plain end writes the address of a secured one. Default: as it is. */
    toSecured?(address: string): string;
    /** How a secured end writes the address of a plain one. Default: as it is. */
    fromSecured?(address: string): string;
  };
  /** The bare bytes that carry the secured ones: there the suite listens in, alters, cuts and pretends. */
  readonly beneath: {
    layer(): StreamLayer;
    /** The address beneath a secured one. Default: the same. */
    under?(address: string): string;
    /** The secured address over one of these. Default: the same. */
    over?(address: string): string;
  };
  /** Absent where ids are proven without certificates. */
  readonly certificates?: Certificates<P> | undefined;
  /** Papers that show the victim's public key, without the key itself. Absent where no transport takes such papers. */
  readonly impostors?: Readonly<Record<(typeof IMPOSTORS)[number], (victim: P) => Promise<P>>> | undefined;
  /** Absent where there is no TLS. */
  readonly tls?: TlsStrangers<P> | undefined;
  /** Ids that were dialled are trusted for that alone, and without a list nobody else is; absent where whoever proves an id is let in. */
  readonly untrusting?: { alone(): Promise<P> } | undefined;
  /** Bytes of a handshake that nobody looks at: a bit that is changed there may leave a connection whole. Default 0. */
  readonly ignoredBytes?: number | undefined;
}

/** What is wrong with papers that a transport takes, and its peers refuse. */
export const REFUSED = ['a certificate of another authority', 'a certificate that has expired', 'one that is not valid yet', 'a self-signed one'] as const;
/** What is wrong with papers that no transport takes; their peers, made by hand, are refused. */
export const STRANGE = ['an RSA key', 'a P-384 key', 'no certificate'] as const;
/** What is wrong with papers that can't be used at all. */
export const UNUSABLE = [
  'a key that does not fit its certificate',
  'a key that is cut off',
  'a key that is none',
  'a key of RSA',
  'a certificate that is cut off',
  'a certificate that is none',
  'an authority that is cut off',
] as const;

/** How one who shows another's public key goes about the proof. */
export const IMPOSTORS = ['signs with a key of its own', 'gives zeros for a signature', 'gives a signature that the victim made of something else'] as const;

export interface Flaw<T> {
  make(): Promise<T>;
  /** What the error's text tells of it. */
  readonly says: RegExp;
}

export interface Certificates<P extends Papers> {
  readonly refused: Readonly<Record<(typeof REFUSED)[number], Flaw<P>>>;
  readonly strange: Readonly<Record<(typeof STRANGE)[number], Flaw<StreamLayer>>>;
  /** With hundreds of certificates behind its own: more than a handshake should carry. */
  giant(): Promise<P>;
  readonly unusable: Readonly<Record<(typeof UNUSABLE)[number], Flaw<P>>>;
  /** The same key, with a certificate made anew. */
  renewed(papers: P): Promise<P>;
  /** The same key with a certificate that has expired. */
  outdated(papers: P): Promise<P>;
  /** The same key and certificate, trusting another authority alone. */
  retrusted(papers: P): Promise<P>;
  /** A node of the authority that `retrusted` trusts; it trusts the first one as well. */
  foreign(): Promise<P>;
}

/** How a TLS client that is not ours goes about it. */
export interface TlsClientOptions<P extends Papers> {
  readonly papers: P;
  /** One of an earlier connection, to be resumed. */
  readonly session?: unknown;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly servername?: string | undefined;
}

/** A stream layer that dials by such a client. */
export interface TlsClient {
  readonly layer: StreamLayer;
  /** Of the last connection: was it resumed? */
  reused(): boolean;
  /** Of the last connection: every session that the server gave, or that the client could make of it. */
  sessions(): readonly unknown[];
  /** Asks the last connection to negotiate anew; resolves to whether it did. */
  renegotiated(): Promise<boolean>;
}

export interface TlsStrangers<P extends Papers> {
  client(options: TlsClientOptions<P>): TlsClient;
}
