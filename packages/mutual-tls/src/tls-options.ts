// The options of mutual TLS: a key and its certificate, the trusted nodes, and the form in which
// each option may be changed at run time.

import { isNodeId } from '@trunkline/transport-core';
import {
  optional,
  optionsSchema,
  parseOptions,
  reference,
} from '@trunkline/transport-core/backend';

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

/**
 * Checks the shape of the options. A TypeError starts with `name` and gives the path of the invalid
 * option ('tls.key'). The contents are checked when they are used.
 */
export function parseTls(options: TlsOptions, name: string): TlsOptions {
  return parseOptions(schema, { tls: options }, name).tls as TlsOptions;
}

/** Returns true if `parseTls` can check a value; for the schema of a backend's own options. */
export function isTlsOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
const orNull = (isFit: (value: unknown) => boolean) => (value: unknown) =>
  value === null || isFit(value);

const PEM = 'PEM, as a string or the bytes of a file';
const IDS = 'a list of node ids: 64 lower-case hex digits each';

const pem = reference<Pem>(isPem, PEM);
const pems = reference<Pem | readonly Pem[]>(isPems, `${PEM}, or a list of them`);
const ids = reference<readonly string[]>(isIds, IDS);

const schema = optionsSchema({
  tls: optionsSchema({
    key: pem,
    cert: pem,
    ca: optional(pems),
    allow: optional(ids),
    deny: optional(ids),
  }),
});

const updateSchema = optionsSchema({
  key: optional(pem),
  cert: optional(pem),
  ca: optional(
    reference<Pem | readonly Pem[] | null>(orNull(isPems), `${PEM}, a list of them, or null`),
  ),
  allow: optional(reference<readonly string[] | null>(orNull(isIds), `${IDS}; or null`)),
  deny: optional(ids),
});
