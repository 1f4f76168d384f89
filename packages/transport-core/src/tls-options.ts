// The options of mutual TLS: a key and its certificate, the trusted nodes, and the form in which
// each option may be changed at run time. Only types, because those of a backend that also runs in
// browsers name them, and must not depend on Node's.

/** Data in PEM, as text or as the bytes of a file. */
export type Pem = string | Uint8Array;

/** Options of mutual TLS 1.3. Host names are not checked; the authority and the node id are. */
export interface TlsOptions {
  /** This node's private key, PEM: Ed25519 or P-256. Its public key determines the node id. */
  readonly key: Pem;
  /**
   * The certificate of the key, PEM, followed by any intermediates. It is signed by an authority or
   * by itself.
   */
  readonly cert: Pem;
  /**
   * The trusted authorities, PEM: a node with a certificate signed by one of them is trusted.
   * Without `ca`, the ids in `allow` are trusted; without either, only the dialed id is trusted.
   */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /**
   * The node ids that may connect or be dialed; all others are refused. Default: all nodes that
   * `ca` trusts.
   */
  readonly allow?: readonly string[] | undefined;
  /**
   * Node ids that are refused, no matter which authority vouches for them. Both ends get
   * `permission_denied` (reason `denied`). This list takes precedence over `allow`.
   */
  readonly deny?: readonly string[] | undefined;
}

/**
 * The options that can be changed at run time. Options that are omitted or undefined stay as they
 * are.
 */
export interface TlsUpdate {
  /** The new key. It must come with its certificate. */
  readonly key?: Pem | undefined;
  readonly cert?: Pem | undefined;
  /** The new authorities; `null` removes them. */
  readonly ca?: Pem | readonly Pem[] | null | undefined;
  /** The complete new list; `null` removes the list. */
  readonly allow?: readonly string[] | null | undefined;
  /** The complete new list. */
  readonly deny?: readonly string[] | undefined;
}
