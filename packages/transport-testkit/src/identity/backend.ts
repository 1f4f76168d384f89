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

/** A change at run time; omitted members stay as they are. `allow: null` removes that list. */
export interface IdentityChange<P extends IdentityCredentials> {
  readonly allow?: readonly string[] | null | undefined;
  readonly deny?: readonly string[] | undefined;
  /** Key, certificate and authority, all three. Only the cases of `tlsIdentitySuite` set it. */
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
   * Creates valid credentials of a new node. All nodes trust each other unless their lists forbid
   * it.
   *
   * @param key the kind of its key; default: the backend's choice.
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
  /**
   * Credentials that a transport accepts but its peers refuse, by their flaw: 'an expired
   * certificate', 'a proof signed with another key'. Each is a part of the titles of two cases.
   * Omitted if no transport accepts such credentials.
   */
  readonly refused?: Readonly<Record<string, IdentityFlaw<P>>> | undefined;
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

/** Flawed credentials that peers must refuse. */
export interface IdentityFlaw<P extends IdentityCredentials> {
  /** Creates them. An impostor has the id of `victim`. */
  make(victim: P): Promise<P>;
  readonly reason: 'bad_certificate' | 'expired_certificate';
  /** Matches the error texts of both ends. */
  readonly says: RegExp;
}
