// The payload of handshake messages 2 and 3: the sender's public key, and the proof that its owner
// made this very handshake.

import type { Identity } from '../../identity/identity.ts';
import { nodeIdOf } from '../../identity/node-id.ts';
import { verifySignature } from '../../identity/verify-signature.ts';
import { HASH, KEY } from '../framework/suite.ts';

export type HandshakeRole = 'initiator' | 'responder';

/**
 * Encodes a proof: the public key (SPKI, DER) and the signature, each after two bytes with its
 * length (big-endian).
 *
 * The signature covers the text "trunkline-noise-1/initiator" or "trunkline-noise-1/responder", the
 * handshake hash as it is before the payload (32 bytes), and the signer's Noise static key (32
 * bytes). So a proof holds for one handshake, one role and one static key: it can be neither
 * replayed nor reflected, and a stolen static key proves nothing.
 */
export function encodeProof(
  identity: Pick<Identity, 'publicKey' | 'sign'>,
  role: HandshakeRole,
  hash: Uint8Array,
  staticKey: Uint8Array,
): Uint8Array {
  const { publicKey } = identity;
  const signature = identity.sign(signedBytes(role, hash, staticKey));
  const payload = new Uint8Array(4 + publicKey.length + signature.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, publicKey.length);
  payload.set(publicKey, 2);
  view.setUint16(2 + publicKey.length, signature.length);
  payload.set(signature, 4 + publicKey.length);
  return payload;
}

/**
 * Returns the node that the payload proves, or the flaw in the proof. Never throws: `nodeIdOf` does
 * not refuse a key that `verifySignature` has accepted.
 */
export function judgeProof(
  payload: Uint8Array,
  role: HandshakeRole,
  hash: Uint8Array,
  staticKey: Uint8Array,
): { nodeId: string } | { flaw: string } {
  const publicKey = field(payload, 0);
  if (publicKey === undefined || publicKey.length === 0) return { flaw: 'it sent no public key' };
  const signature = field(payload, 2 + publicKey.length);
  if (signature === undefined || signature.length === 0) return { flaw: 'it sent no signature' };
  if (4 + publicKey.length + signature.length !== payload.length)
    return { flaw: 'it sent extra bytes after its signature' };
  if (!SPKI_LENGTHS.has(publicKey.length))
    return { flaw: `its key is neither Ed25519 nor P-256 (${publicKey.length} bytes of SPKI)` };
  if (!verifySignature(publicKey, signedBytes(role, hash, staticKey), signature)) {
    return { flaw: 'its signature is not valid for its key in this handshake' };
  }
  return { nodeId: nodeIdOf(publicKey) };
}

function signedBytes(role: HandshakeRole, hash: Uint8Array, staticKey: Uint8Array): Uint8Array {
  const domain = DOMAIN[role];
  const bytes = new Uint8Array(domain.length + HASH + KEY);
  bytes.set(domain);
  bytes.set(hash, domain.length);
  bytes.set(staticKey, domain.length + HASH);
  return bytes;
}

/**
 * Reads a length of two bytes and that many bytes after it; returns undefined if there are fewer.
 */
function field(payload: Uint8Array, at: number): Uint8Array | undefined {
  if (payload.length < at + 2) return undefined;
  const end = at + 2 + ((payload[at]! << 8) | payload[at + 1]!);
  return end > payload.length ? undefined : payload.subarray(at + 2, end);
}

const encoder = new TextEncoder();
const DOMAIN: Record<HandshakeRole, Uint8Array> = {
  initiator: encoder.encode('trunkline-noise-1/initiator'),
  responder: encoder.encode('trunkline-noise-1/responder'),
};

/**
 * The lengths, in bytes, of an Ed25519 key and of a P-256 key with an uncompressed point: the only
 * keys that `verifySignature` accepts. The check only names the flaw of any other key.
 */
const SPKI_LENGTHS: ReadonlySet<number> = new Set([44, 91]);
