// Node ids: the SHA-256 of a public key's SPKI.

import { sha256 } from '#primitives';
import { spkiOf } from './spki.ts';

/**
 * Returns the node id of a public key: 64 lower-case hex digits. `publicKey` is SPKI in DER, or PEM
 * of a public key or of a certificate (of the first one in a chain). Keys of algorithms that a node
 * can't use also get ids, for example for TLS peers with an RSA certificate.
 *
 * Throws `invalid_argument` if the input is not a public key, or if it has an unusual encoding (a
 * compressed point, explicit curve parameters), because each key must have only one id; and a
 * TypeError if it is neither a Uint8Array nor a string. The id does not prove that anybody holds
 * the private key: see `verifySignature`.
 */
export function nodeIdOf(publicKey: Uint8Array | string): string {
  return idOfSpki(spkiOf(publicKey, 'nodeIdOf'));
}

/**
 * A variant of `nodeIdOf` for bytes that are known to be an SPKI; it checks nothing. TLS computes
 * the same id in `nodeIdOfCertificate` (transport-core).
 */
export function idOfSpki(spki: Uint8Array): string {
  // The hex is joined in one step, because a string that is concatenated piece by piece keeps its
  // pieces and would take ten times the memory in each connection.
  return Array.from(sha256(spki), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
