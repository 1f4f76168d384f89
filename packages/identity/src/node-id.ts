// Node ids: the SHA-256 of a public key's SPKI.

import { sha256 } from '#primitives';
import { spkiOf } from './spki.ts';

/**
 * The node id of a public key: 64 lower-case hex digits. It takes SPKI in DER, or PEM of a public key or of a certificate (of a chain,
 * the first). Keys of other algorithms than a node's own have an id too, for TLS peers with an RSA certificate, say.
 * `invalid_argument` for what is no public key, or for one in a second form (a compressed point, a curve that is spelled out): one
 * key has one id. Whether anybody holds the private key is not known by this: see `verifySignature`.
 */
export function nodeIdOf(publicKey: Uint8Array | string): string {
  return idOfSpki(spkiOf(publicKey, 'nodeIdOf'));
}

/** As `nodeIdOf`, of what is surely an SPKI. */
export function idOfSpki(spki: Uint8Array): string {
  // Joined at once: a text that is put together piece by piece keeps its pieces, ten times the memory, in each connection.
  return Array.from(sha256(spki), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
