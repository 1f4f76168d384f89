// A publisher's signature, as it travels with a message.

/** A public key, and a signature made with its private key. */
export interface Signature {
  /** SPKI, DER: 44 bytes (Ed25519) or 91 (P-256). Its SHA-256 is the publisher's node id. */
  readonly publicKey: Uint8Array;
  /** The signature of `signedContent`: 64 bytes. */
  readonly bytes: Uint8Array;
}

export const SIGNATURE_BYTES = 64;
