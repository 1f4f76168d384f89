// What Noise is built of: a Diffie-Hellman function, a cipher and a hash, here 25519, ChaChaPoly and SHA256 (Noise §12).

/** The functions of Noise_…_25519_ChaChaPoly_SHA256. All of them answer at once. `#primitives` brings one. */
export interface Suite {
  /** The key pair of 32 secret bytes. */
  keyPair(secret: Uint8Array): KeyPair;
  /** SHA-256 of both, one behind the other. */
  hash(first: Uint8Array, second: Uint8Array): Uint8Array;
  /** HMAC-SHA-256. */
  hmac(key: Uint8Array, data: Uint8Array): Uint8Array;
  /**
   * ChaCha20-Poly1305: writes the ciphertext and its tag, 16 bytes more than `plaintext`, into `target` from `at` on.
   * @param nonce 12 bytes
   * @param ad associated data; undefined is none
   */
  seal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array | undefined, plaintext: Uint8Array, target: Uint8Array, at: number): void;
  /** The plaintext in fresh memory, or undefined where the ciphertext is not authentic. */
  open(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array | undefined, ciphertext: Uint8Array): Uint8Array<ArrayBuffer> | undefined;
}

/** An X25519 key pair. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** What both share, 32 bytes; undefined where that is all zero: the other key is of low order, and anybody knows the result. */
  agree(publicKey: Uint8Array): Uint8Array | undefined;
}

/** Bytes of a public key and of a shared secret, of a hash, and of a tag. */
export const KEY = 32;
export const HASH = 32;
export const TAG = 16;
