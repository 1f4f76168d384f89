// What the primitives make of a secret.

/** A secret that can sign, and its public half. */
export interface SecretKey {
  /** As in PublicKey. */
  readonly point: Uint8Array;
  /** 64 bytes: an Ed25519 signature, or r and s of ECDSA over SHA-256, with the lower s. */
  sign(message: Uint8Array): Uint8Array<ArrayBuffer>;
}
