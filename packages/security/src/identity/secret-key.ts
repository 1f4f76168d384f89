// The interface of a private key in the primitives.

import type { Bytes } from '@trunkline/transport-core/backend';

/** A private key that can sign, and its public key. */
export interface SecretKey {
  /** The public key, as in `PublicKey`. */
  readonly point: Uint8Array;
  /** Returns 64 bytes: an Ed25519 signature, or r and s of ECDSA over SHA-256, with the lower s. */
  sign(message: Uint8Array): Bytes;
}
