// Determines the public key that a certificate is issued for.

import { TransportError } from '@trunkline/transport-core';
import type { Identity } from './identity.ts';
import { isIdentity } from './is-identity.ts';
import { decodeSpki } from './public-key.ts';
import { spkiOf } from './spki.ts';
import { isStrictPoint } from './strict-signature.ts';

/**
 * Returns the SPKI of an identity, or of any public key that `nodeIdOf` accepts. Throws
 * `invalid_argument` if a node cannot have such a key.
 */
export function subjectKeyOf(subject: Identity | Uint8Array | string): Uint8Array {
  const spki = isIdentity(subject) ? subject.publicKey : spkiOf(subject, 'issue');
  const key = decodeSpki(spki);
  if (key === undefined)
    throw wrong(
      'a key of another algorithm or form',
      "make one with createIdentity(), or 'openssl genpkey -algorithm ed25519'",
    );
  if (key.type === 'ed25519' && !isStrictPoint(key.point))
    throw wrong(
      'an Ed25519 key of small order, for which anybody can forge signatures',
      'refuse this node',
    );
  return spki;
}

function wrong(found: string, remedy: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `issue: got ${found}; a node's key is Ed25519 or P-256: ${remedy}`,
  );
}
