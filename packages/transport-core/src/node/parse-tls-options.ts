// Checks the options of mutual TLS, and applies changes to them.

import {
  isNodeId,
  option,
  optionsSchema,
  type Pem,
  parseOptions,
  type TlsOptions,
  type TlsUpdate,
} from '@trunkline/transport-core/backend';

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

const updateSchema = optionsSchema({
  key: option.optional(pem),
  cert: option.optional(pem),
  ca: option.optional(
    option.reference<Pem | readonly Pem[] | null>(
      orNull(isPems),
      `${PEM}, a list of them, or null`,
    ),
  ),
  allow: option.optional(
    option.reference<readonly string[] | null>(orNull(isIds), `${IDS}; or null`),
  ),
  deny: option.optional(ids),
});
