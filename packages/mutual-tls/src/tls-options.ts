// What mutual TLS is told: a key and its certificate, whom to trust, and how each may change while it runs.

import { isNodeId, optional, optionsSchema, parseOptions, reference } from '@trunkline/transport-core';

/** PEM, as text or as bytes of a file. */
export type Pem = string | Uint8Array;

/** Mutual TLS 1.3. Host names are not checked: the authority and the node id are. */
export interface TlsOptions {
  /** This node's private key, PEM: Ed25519 or P-256. Its public half makes the node id. */
  readonly key: Pem;
  /** The certificate of that key, PEM, followed by any intermediates. Signed by an authority, or by itself. */
  readonly cert: Pem;
  /**
   * Authorities, PEM: whoever shows a certificate of theirs is trusted. Without it only ids in `allow`, or the dialled id, are
   * trusted, and with neither nobody is.
   */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** Node ids: nobody else comes in, nor is dialled. Default: whoever `ca` trusts. */
  readonly allow?: readonly string[] | undefined;
  /** Node ids that are refused, whoever vouches for them: `permission_denied`, `denied`, at both ends. It goes before `allow`. */
  readonly deny?: readonly string[] | undefined;
}

/** What changes while it runs: what is left out, or undefined, stays as it is. */
export interface TlsUpdate {
  /** A new key comes with its certificate. */
  readonly key?: Pem | undefined;
  readonly cert?: Pem | undefined;
  /** `null`: no authority any more. */
  readonly ca?: Pem | readonly Pem[] | null | undefined;
  /** The whole new list; `null`: no list any more. */
  readonly allow?: readonly string[] | null | undefined;
  /** The whole new list. */
  readonly deny?: readonly string[] | undefined;
}

/** Checks the shape: a TypeError of `name` says what is wrong by its path ('tls.key'). What the texts hold is checked when they are used. */
export function parseTls(options: TlsOptions, name: string): TlsOptions {
  return parseOptions(schema, { tls: options }, name).tls as TlsOptions;
}

/** Is it a value that `parseTls` can look at? For the schema of a backend's own options. */
export function isTlsOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The options after a change; a TypeError names what is wrong with it. */
export function mergeTls(before: TlsOptions, update: TlsUpdate): TlsOptions {
  const { key, cert, ca, allow, deny } = parseOptions(updateSchema, update, 'updateTls') as TlsUpdate;
  return {
    key: key ?? before.key,
    cert: cert ?? before.cert,
    ca: ca === null ? undefined : (ca ?? before.ca),
    allow: allow === null ? undefined : (allow ?? before.allow),
    deny: deny ?? before.deny,
  };
}

const isPem = (value: unknown) => (typeof value === 'string' || value instanceof Uint8Array) && value.length > 0;
const isPems = (value: unknown) => isPem(value) || (Array.isArray(value) && value.length > 0 && value.every(isPem));
const isIds = (value: unknown) => Array.isArray(value) && value.every((id) => typeof id === 'string' && isNodeId(id));
const orNull = (isFit: (value: unknown) => boolean) => (value: unknown) => value === null || isFit(value);

const PEM = 'PEM, as a string or the bytes of a file';
const IDS = 'a list of node ids: 64 lower-case hex digits each';

const pem = reference<Pem>(isPem, PEM);
const pems = reference<Pem | readonly Pem[]>(isPems, `${PEM}, or a list of such`);
const ids = reference<readonly string[]>(isIds, IDS);

const schema = optionsSchema({ tls: optionsSchema({ key: pem, cert: pem, ca: optional(pems), allow: optional(ids), deny: optional(ids) }) });

const updateSchema = optionsSchema({
  key: optional(pem),
  cert: optional(pem),
  ca: optional(reference<Pem | readonly Pem[] | null>(orNull(isPems), `${PEM}, a list of such, or null`)),
  allow: optional(reference<readonly string[] | null>(orNull(isIds), `${IDS}; or null`)),
  deny: optional(ids),
});
