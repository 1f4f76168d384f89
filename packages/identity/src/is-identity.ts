// Is it an identity?

import type { Identity } from './identity.ts';

/** A TypeError, in the name of `caller`, if `value` has not what an identity has. */
export function checkIdentity(value: Identity, caller: string): void {
  if (isIdentity(value)) return;
  throw new TypeError(`${caller}: takes an identity, as createIdentity and parseIdentity give it, got ${value === null ? 'null' : typeof value}`);
}

/** Whoever has the members is one: a key in a security module, say. */
export function isIdentity(value: unknown): value is Identity {
  if (typeof value !== 'object' || value === null) return false;
  const { nodeId, publicKey, sign } = value as Partial<Identity>;
  return typeof nodeId === 'string' && publicKey instanceof Uint8Array && typeof sign === 'function';
}
