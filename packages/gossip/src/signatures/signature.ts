// A publisher's signature, as it travels with a message.

export interface Signature {
  /** SPKI, DER: 44 bytes (Ed25519) or 91 (P-256). Its SHA-256 is the publisher's node id. */
  readonly publicKey: Uint8Array;
  /** Of `signedContent`: 64. */
  readonly bytes: Uint8Array;
}

export const SIGNATURE_BYTES = 64;
