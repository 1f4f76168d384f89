// Validates arguments that are identities.

import type { Identity } from './identity.ts';

/** Throws a TypeError that names `caller` unless `isIdentity` accepts the value. */
export function checkIdentity(value: Identity, caller: string): void {
  if (isIdentity(value)) return;
  throw new TypeError(
    `${caller}: expected an identity, as createIdentity and parseIdentity return it, got ${value === null ? 'null' : typeof value}`,
  );
}

/**
 * Returns true if a value has the `nodeId`, `publicKey` and `sign` of an identity. It may be
 * implemented elsewhere, for example by a key in a security module, and may then lack `key`, which
 * `saveIdentity` needs. `type`, which certificates need, is not checked.
 */
export function isIdentity(value: unknown): value is Identity {
  if (typeof value !== 'object' || value === null) return false;
  const { nodeId, publicKey, sign } = value as Partial<Identity>;
  return (
    typeof nodeId === 'string' && publicKey instanceof Uint8Array && typeof sign === 'function'
  );
}
